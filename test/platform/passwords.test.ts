import { expect, test } from "vitest";
import { hashPassword, verifyPassword } from "../../src/platform/passwords.ts";
test("x", async () => {
  const h = await hashPassword("hello");
  expect(h).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await verifyPassword("hello", h)).toBe(true);
});
