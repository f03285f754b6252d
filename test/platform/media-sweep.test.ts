import { expect, test } from "vitest";
import { dropMedia } from "../../src/platform/media/media.ts";
import { sweepMedia } from "../../src/platform/media/sweep.ts";
import { TIMES } from "../../src/protocol/limits.ts";
import { claimMedia, condemnMedia, keepMedia, mediaById } from "../../src/storage/media.ts";
import { bindings, newKey } from "../objects/support.ts";
import { ask, pair, see, send, showing, upload, wishFor } from "../routes/support/media.ts";

const DAY = TIMES.mediaWaitsMs;

test("[MD-11] media that nobody sent is deleted after a day; what a message shows stays", async () => {
  const { ann, id } = await pair();
  const sent = await upload(ann, id);
  await send(ann, id, showing(sent));
  const waiting = await upload(ann, id, { contentType: "image/jpeg" });
  const claimed = await upload(ann, id, { contentType: "image/gif" });
  await send(ann, id, { type: "text", text: "newer" });
  const now = Date.now();
  const key = (await mediaById(bindings.DIRECTORY, waiting))?.objectKey ?? "";
  expect(await sweepMedia(bindings, now + DAY - 60_000)).toEqual({ dropped: 0, kept: 0, unsure: 0 });
  const { DIRECTORY } = bindings;
  await DIRECTORY.prepare("UPDATE media SET claim = ?1 WHERE media_id = ?2")
    .bind(`${ann.device.deviceId} ${newKey()}`, claimed) // a wish that was never appended
    .run();
  expect(await sweepMedia(bindings, now + DAY + 1_000)).toMatchObject({ unsure: 0 });
  expect(await mediaById(DIRECTORY, waiting)).toBeUndefined();
  expect(await mediaById(DIRECTORY, claimed)).toBeUndefined();
  expect(await bindings.MEDIA.head(key)).toBeNull();
  expect((await see(ann, sent)).status).toBe(200);
  expect(await bindings.MEDIA.head((await mediaById(DIRECTORY, sent))?.objectKey ?? "")).not.toBeNull();
  const { meta } = await DIRECTORY.prepare(
    "SELECT * FROM media WHERE kept = 0 AND media_id > '' ORDER BY media_id",
  ).run();
  expect(meta.rows_read).toBeLessThan(20); // what is kept is not looked at again
});

test("[MD-11] what the conversation cannot be asked about stays, and what was just claimed is not taken away", async () => {
  const { ann, id } = await pair();
  const mediaId = await upload(ann, id);
  await send(ann, id, showing(mediaId));
  const now = Date.now();
  const down = {
    getByName: () => ({ showsMedia: () => Promise.reject(Object.assign(new Error(), { remote: true })) }),
  };
  const swept = await sweepMedia({ ...bindings, CONVERSATIONS: down as never }, now + DAY + 1_000);
  expect(swept.unsure).toBeGreaterThan(0);
  expect(await mediaById(bindings.DIRECTORY, mediaId)).toBeDefined();
  const late = await upload(ann, id, { contentType: "audio/ogg" });
  await bindings.DIRECTORY.prepare("UPDATE media SET touched_at = ?1 WHERE media_id = ?2")
    .bind(now + DAY, late)
    .run();
  await sweepMedia(bindings, now + DAY + 1_000);
  expect(await mediaById(bindings.DIRECTORY, late)).toBeDefined();
  expect(await condemnMedia(bindings.DIRECTORY, [late], now)).toEqual([]); // touched meanwhile
  expect(await condemnMedia(bindings.DIRECTORY, [late], now + DAY)).toEqual([late]);
  const claim = { deviceId: ann.device.deviceId, idempotencyKey: newKey() };
  expect(await claimMedia(bindings.DIRECTORY, late, claim, null, now)).toBe(false); // too late for any wish
  await sweepMedia(bindings, now + 2 * DAY + 1_000);
  expect(await mediaById(bindings.DIRECTORY, late)).toBeUndefined();
});

test("[MD-11] a sweep goes through more than one step holds", async () => {
  const { ann, id } = await pair();
  const wish = await wishFor(id);
  for (let at = 0; at < 130; at += 10)
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => ask(ann, "POST", "/v1/media", { ...wish, bytes: 1 + at + i })),
    );
  expect((await sweepMedia(bindings, Date.now() + DAY + 1_000)).dropped).toBeGreaterThanOrEqual(130);
  const { results } = await bindings.DIRECTORY.prepare("SELECT 1 FROM media WHERE user_id = ?1")
    .bind(ann.user.userId)
    .all();
  expect(results).toEqual([]);
});

test("[MD-12] bytes go with the last media that means them, and dropping may be repeated", async () => {
  const { ann, id } = await pair();
  const [one, two] = [await upload(ann, id), await upload(ann, id)];
  const key = (await mediaById(bindings.DIRECTORY, one))?.objectKey ?? "";
  await dropMedia(bindings, [one]);
  expect((await see(ann, one)).json.code).toBe("not_found");
  expect(await bindings.MEDIA.head(key)).not.toBeNull();
  const down = { ...bindings, MEDIA: { delete: () => Promise.reject(new Error("away")) } as never };
  await expect(dropMedia(down, [two])).rejects.toThrow("away");
  expect(await mediaById(bindings.DIRECTORY, two)).toBeDefined(); // so that it can be tried again
  await dropMedia(bindings, [two, two]);
  await dropMedia(bindings, [two]);
  await dropMedia(bindings, []);
  expect([await bindings.MEDIA.head(key), await mediaById(bindings.DIRECTORY, two)]).toEqual([null, undefined]);
});

test("[MD-13] making media writes four rows, sending it one, and the sweep that finds its message one", async () => {
  const { ann, id } = await pair();
  const { database, rows } = countingRows(bindings.DIRECTORY);
  const made = await ask(ann, "POST", "/v1/media", await wishFor(id), { DIRECTORY: database });
  expect(rows()).toBe(4);
  const { mediaId } = made.json;
  const claim = { deviceId: ann.device.deviceId, idempotencyKey: newKey() };
  expect(await claimMedia(database, mediaId, claim, null, Date.now())).toBe(true);
  expect(rows()).toBe(5);
  await keepMedia(database, [mediaId]);
  expect(rows()).toBe(6);
});

/** The database, and how many rows it says were written. */
function countingRows(database: D1Database) {
  let rows = 0;
  const counting = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => counting(target.bind(...values));
        const member = Reflect.get(target, name);
        return async (...args: unknown[]) => {
          const answer = await member.apply(target, args);
          rows += answer?.meta?.rows_written ?? 0;
          return answer;
        };
      },
    });
  const prepare = (query: string) => counting(database.prepare(query));
  return { database: { prepare } as unknown as D1Database, rows: () => rows };
}
