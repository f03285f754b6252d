/** MD5 (RFC 1321): browsers have none, and it is the one hash of a part that the store checks. It finds accidents, not attacks. */

const BLOCK = 64;
/** By round of 16 steps: how far each of four steps in turn rotates. */
const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Int32Array.from({ length: BLOCK }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

export function md5(bytes: Uint8Array): Uint8Array {
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]);
  const words = new Int32Array(16);
  const whole = bytes.length - (bytes.length % BLOCK);
  mixAll(state, words, bytes.subarray(0, whole));
  mixAll(state, words, paddedEnd(bytes.subarray(whole), bytes.length));
  const digest = new DataView(new ArrayBuffer(16));
  state.forEach((word, i) => void digest.setInt32(i * 4, word, true));
  return new Uint8Array(digest.buffer);
}

/** What is left of the message, a one, zeros, and the length in bits. */
function paddedEnd(rest: Uint8Array, length: number): Uint8Array {
  const end = new Uint8Array(rest.length < BLOCK - 8 ? BLOCK : 2 * BLOCK);
  end.set(rest);
  end[rest.length] = 0x80;
  new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(length) * 8n, true);
  return end;
}

function mixAll(state: Int32Array, words: Int32Array, blocks: Uint8Array): void {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let at = 0; at < blocks.length; at += BLOCK) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + i * 4, true);
    mix(state, words);
  }
}

function mix(state: Int32Array, words: Int32Array): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let i = 0; i < BLOCK; i++) {
    const round = i >> 4;
    const word = words[wordAt(round, i)] as number;
    const sum = (a + mixed(round, b, c, d) + (SINES[i] as number) + word) | 0;
    const shift = SHIFTS[round * 4 + (i & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
  }
  state[0] = ((state[0] as number) + a) | 0;
  state[1] = ((state[1] as number) + b) | 0;
  state[2] = ((state[2] as number) + c) | 0;
  state[3] = ((state[3] as number) + d) | 0;
}

/** The round's function of three words. */
function mixed(round: number, b: number, c: number, d: number): number {
  if (round === 0) return (b & c) | (~b & d);
  if (round === 1) return (d & b) | (~d & c);
  return round === 2 ? b ^ c ^ d : c ^ (b | ~d);
}

/** Which word of the block comes at this step. */
function wordAt(round: number, i: number): number {
  if (round === 0) return i;
  if (round === 1) return (5 * i + 1) & 15;
  return (round === 2 ? 3 * i + 5 : 7 * i) & 15;
}
