import fc from "fast-check";
import { decodeTime, isValid } from "ulid";
import { expect, test } from "vitest";
import { IdempotencyKey } from "../../src/protocol/ids.ts";
import { risingUlids, timeOf } from "../../src/sdk/ulid.ts";

test("[CL-14] ULIDs rise whatever times they are asked for, also where their digits run out, and are those of the spec", () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 100 });
  fc.assert(
    fc.property(
      fc.array(time, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(0, 0.5, 0.999_999),
      (times, random) => {
        const next = risingUlids(() => random);
        let last = "";
        let highest = 0;
        for (const at of times) {
          const ulid = next(at);
          highest = Math.max(highest, at);
          expect(ulid > last && isValid(ulid)).toBe(true);
          expect(IdempotencyKey.parse(ulid)).toBe(ulid);
          expect(timeOf(ulid)).toBe(decodeTime(ulid));
          expect(timeOf(ulid)).toBeGreaterThanOrEqual(highest);
          last = ulid;
        }
      },
    ),
  );
});

test("two devices do not mint the same", () => {
  const [a, b] = [risingUlids(), risingUlids()];
  expect(a(1)).not.toBe(b(1));
});
