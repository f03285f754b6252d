import Argon2 from "@phi-ag/argon2";
import * as fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { hashPassword, verifyPassword } from "../../src/platform/passwords.ts";

afterEach(() => void vi.restoreAllMocks());

/** Made with another implementation (@noble/hashes 2: argon2id, t 2, m 19456, p 1) over the UTF-8 bytes. */
const MADE_ELSEWHERE = [
  [
    "correct horse",
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$k9ohroejZy1PN5E1SbHNPug6vB8eQAahb5SOAp6iGF4",
  ],
  [
    "Καλημέρα κόσμε 🌊",
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$Q/VGr8ReNwy9vEXh4M/UDOYk1L5KLwqfRDNJIjxqV+g",
  ],
] as const;

test.each(MADE_ELSEWHERE)("[AC-14] agrees with an independent argon2id: %s", async (password, phc) => {
  expect(await verifyPassword(password, phc)).toBe(true);
  expect(await verifyPassword(`${password}!`, phc)).toBe(false);
});

test("[AC-14] 19 MiB, two passes, one lane, a salt of its own", async () => {
  const [one, two] = [await hashPassword("the same"), await hashPassword("the same")];
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(one).not.toBe(two);
  expect(await verifyPassword("the same", two)).toBe(true);
});

test("[AC-14] every letter counts, in every script", async () => {
  const phc = await hashPassword("пароль-один");
  expect(await verifyPassword("пароль-один", phc)).toBe(true);
  expect(await verifyPassword("пароль-одна", phc)).toBe(false);
  expect(await verifyPassword("пароль", phc)).toBe(false);
  expect(await verifyPassword("nul\0one", await hashPassword("nul\0two"))).toBe(false);
});

test("[AC-14] an accent typed as one character or as two is the same password", async () => {
  expect(await verifyPassword("cafe\u0301 au lait", await hashPassword("caf\u00e9 au lait"))).toBe(true);
});

test("[AC-15] with nothing to compare with it is false, after the same work", async () => {
  const work = vi.spyOn(Argon2.prototype, "tryVerify");
  expect(await verifyPassword("anything", undefined)).toBe(false);
  expect(await verifyPassword("anything", null)).toBe(false);
  expect(await verifyPassword("anything", await hashPassword("something"))).toBe(false);
  const costs = work.mock.calls.map(([phc]) => phc.split("$").slice(0, 4).join("$"));
  expect(costs).toEqual(Array(3).fill("$argon2id$v=19$m=19456,t=2,p=1"));
  work.mockReturnValue({ success: true }); // as if somebody had found the password of the hash that stands in
  expect(await verifyPassword("anything", undefined)).toBe(false);
});

test("[AC-15] a hash that is none is no match, and no crash", async () => {
  for (const broken of ["", "$argon2id$", "plain text", "$argon2id$v=19$m=1,t=0,p=0$a$b"]) {
    expect(await verifyPassword("plain text", broken)).toBe(false);
  }
});

test("[AC-14] any string is a password, and no other is the same one", async () => {
  const letter = fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("\0", "\ud83c", "é", "🌊", "a"),
  );
  const password = fc.array(letter, { minLength: 1, maxLength: 40 }).map((letters) => letters.join(""));
  await fc.assert(
    fc.asyncProperty(password, fc.constantFrom("a", "\0", "я"), async (text, more) => {
      const phc = await hashPassword(text);
      expect(await verifyPassword(text, phc)).toBe(true);
      expect(await verifyPassword(text + more, phc)).toBe(false);
    }),
    { numRuns: 12 },
  );
});
