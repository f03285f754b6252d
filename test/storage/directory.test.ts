import { getTableColumns, getTableName } from "drizzle-orm";
import { ulid } from "ulid";
import { expect, test } from "vitest";
import { UserId } from "../../src/protocol/ids.ts";
import { existingUsers, profileByHandle, profilesOf, usersAfter } from "../../src/storage/directory.ts";
import { contacts, devices, identities, media, uploads, users } from "../../src/storage/directory-schema.ts";
import { Unavailable } from "../../src/storage/reach.ts";
import { downDatabase, env, signUp } from "../routes/support/accounts.ts";

const db = env.DIRECTORY;
const people = async (count: number) =>
  (await Promise.all(Array.from({ length: count }, () => signUp()))).map(({ user }) => user);
const nobody = (count: number) => Array.from({ length: count }, () => UserId.parse(ulid()));

test.each([users, identities, devices, contacts, media, uploads])(
  "the migrations make the table that the code describes: %#",
  async (table) => {
    const { results } = await db
      .prepare(`SELECT name, type, "notnull" FROM pragma_table_info('${getTableName(table)}')`)
      .all();
    const described = Object.values(getTableColumns(table)).map((column) => ({
      name: column.name,
      type: column.getSQLType().toUpperCase(),
      notnull: column.notNull ? 1 : 0,
    }));
    expect(results).toEqual(described);
  },
);

test("[AC-27] profiles of any number of ids, in one query", async () => {
  const [alice, bob] = await people(2);
  if (!alice || !bob) throw new Error("nobody");
  const found = await profilesOf(db, alice.userId, [alice.userId, ...nobody(1_500), bob.userId, alice.userId]);
  expect([...found.keys()].sort()).toEqual([alice.userId, bob.userId].sort());
  expect(found.get(bob.userId)).toEqual({ userId: bob.userId, handle: bob.handle, displayName: bob.displayName });
  expect(await existingUsers(db, [alice.userId, ...nobody(1_500)])).toEqual(new Set([alice.userId]));
  expect([(await profilesOf(db, alice.userId, [])).size, (await existingUsers(db, [])).size]).toEqual([0, 0]);
});

test("[AC-1] a handle is found in any case", async () => {
  const { user } = await signUp("grace.hopper");
  const found = (handle: string) => profileByHandle(db, user.userId, handle);
  expect(await found("Grace.HOPPER")).toMatchObject({ userId: user.userId });
  expect(await found("grace.hoppe")).toBeUndefined();
});

test("[AC-29] users are paged in the order of their ids, none left out and none twice", async () => {
  await people(7);
  const { results } = await db.prepare("SELECT user_id FROM users ORDER BY user_id").all<{ user_id: string }>();
  for (const limit of [1, 3, results.length, results.length + 1]) {
    const seen: UserId[] = [];
    for (
      let page = await usersAfter(db, undefined, limit);
      page.length > 0;
      page = await usersAfter(db, seen.at(-1), limit)
    ) {
      expect(page.length).toBeLessThanOrEqual(limit);
      seen.push(...page);
    }
    expect(seen).toEqual(results.map((row) => row.user_id));
  }
});

test("[AC-24] a database that is away is Unavailable, without the statement in the message", async () => {
  await expect(profilesOf(downDatabase(), nobody(1)[0] as UserId, nobody(1))).rejects.toThrow(Unavailable);
  const broken = await profileByHandle(env.HISTORY_0, nobody(1)[0] as UserId, "a-private-handle").catch(
    (error: Error) => error,
  );
  expect(broken).toBeInstanceOf(Unavailable);
  expect(String(broken)).not.toMatch(/a-private-handle|select/i);
});
