/** ULIDs (https://github.com/ulid/spec), as far as keys need them: each greater than the one before. */

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_DIGITS = 10;
const RANDOM_DIGITS = 16;

const secure = (): number => (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) / 256;
const digitsOf = (random: () => number): number[] =>
  Array.from({ length: RANDOM_DIGITS }, () => Math.floor(random() * DIGITS.length));

function encodeTime(ms: number): string {
  let text = "";
  for (let rest = ms, i = 0; i < TIME_DIGITS; i++, rest = Math.floor(rest / 32)) text = DIGITS.charAt(rest % 32) + text;
  return text;
}

/** The time in it. Epoch ms. */
export const timeOf = (ulid: string): number =>
  [...ulid.slice(0, TIME_DIGITS)].reduce((ms, digit) => ms * 32 + DIGITS.indexOf(digit), 0);

/** Makes ULIDs that only rise, whatever times it is given. `random` in [0, 1). */
export function risingUlids(random = secure): (ms: number) => string {
  let [last, digits]: [number, number[]] = [-1, []];
  return (ms) => {
    const at = ms > last ? -1 : digits.findLastIndex((digit) => digit < DIGITS.length - 1);
    if (at < 0) {
      last = Math.max(ms, last + 1); // a later time, or the digits have run out
      digits = digitsOf(random);
    } else digits = digits.map((digit, i) => (i < at ? digit : i === at ? digit + 1 : 0));
    return encodeTime(last) + digits.map((digit) => DIGITS.charAt(digit)).join("");
  };
}
