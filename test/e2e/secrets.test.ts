import { createECDH } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { localSecrets } from "../../scripts/local/secrets.ts";

const dirs: string[] = [];
const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), "edgewise-secrets-"));
  dirs.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

/** The public half that belongs to the private one. */
function publicOf(vapidKeys: string): string {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(vapidKeys.split(".")[1] ?? "", "base64url");
  return pair.getPublicKey("base64url", "uncompressed");
}

test("[PU-40] the first start makes a key pair for Web Push and keeps it", async () => {
  const dir = newDir();
  const made = await localSecrets(dir);
  expect(made.VAPID_KEYS.split(".")[0]).toBe(publicOf(made.VAPID_KEYS));
  expect(await localSecrets(dir)).toEqual(made);
  expect(statSync(join(dir, "secrets.env")).mode & 0o777).toBe(0o600);
  expect((await localSecrets(newDir())).VAPID_KEYS).not.toBe(made.VAPID_KEYS);
});

test.each(["\n", ""])(
  "[PU-40] secrets from before there was push are completed, and nobody is signed out",
  async (end) => {
    const dir = newDir();
    const file = join(dir, "secrets.env");
    const before = `TOKEN_KEYS=old-keys\nOPERATOR_TOKEN=old-token${end}`;
    writeFileSync(file, before, { mode: 0o600 });
    const completed = await localSecrets(dir);
    expect(completed).toMatchObject({ TOKEN_KEYS: "old-keys", OPERATOR_TOKEN: "old-token" });
    expect(readFileSync(file, "utf8").startsWith(before)).toBe(true);
    expect(await localSecrets(dir)).toEqual(completed);
  },
);
