import { and, eq, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { uploads } from "./directory-schema.ts";
import { reach } from "./reach.ts";

/** An upload in parts. `etags`: by part, what the store answered. */
export type UploadRow = { objectKey: string; uploadId: string; md5s: string[]; etags: Map<number, string> };
type Named = Pick<UploadRow, "objectKey" | "uploadId">;

const parsed = ({ md5s, etags, ...named }: typeof uploads.$inferSelect): UploadRow => {
  const told = Object.entries(JSON.parse(etags) as Record<string, string>);
  return {
    ...named,
    md5s: JSON.parse(md5s) as string[],
    etags: new Map(told.map(([part, etag]) => [Number(part), etag])),
  };
};
const isThis = ({ objectKey, uploadId }: Named): SQL | undefined =>
  and(eq(uploads.objectKey, objectKey), eq(uploads.uploadId, uploadId));

/** All of these throw `Unavailable`. False: there is one for this object already. */
export async function insertUpload(
  db: D1Database,
  { md5s, ...named }: Named & { md5s: readonly string[] },
): Promise<boolean> {
  const row = { ...named, md5s: JSON.stringify(md5s), etags: "{}" };
  const query = drizzle(db).insert(uploads).values(row).onConflictDoNothing();
  return (await reach("insert upload", () => query.run())).meta.changes > 0;
}

export async function uploadOfObject(db: D1Database, objectKey: string): Promise<UploadRow | undefined> {
  const query = drizzle(db).select().from(uploads).where(eq(uploads.objectKey, objectKey));
  const row = await reach("upload row", () => query.get());
  return row && parsed(row);
}

export async function uploadsOfObjects(db: D1Database, objectKeys: readonly string[]): Promise<Named[]> {
  const isAmong = sql`${uploads.objectKey} IN (SELECT value FROM json_each(${JSON.stringify(objectKeys)}))`;
  const { objectKey, uploadId } = uploads;
  return reach("upload rows", () => drizzle(db).select({ objectKey, uploadId }).from(uploads).where(isAmong).all());
}

/** Adds these to what is known to be there; of those told by several at once each counts. Undefined: it is no longer under way. */
export async function tellEtags(
  db: D1Database,
  upload: Named,
  etags: ReadonlyMap<number, string>,
): Promise<UploadRow | undefined> {
  const patch = JSON.stringify(Object.fromEntries(etags));
  const set = { etags: sql`json_patch(${uploads.etags}, ${patch})` };
  const query = drizzle(db).update(uploads).set(set).where(isThis(upload)).returning();
  const [row] = await reach("tell parts", () => query.all());
  return row && parsed(row);
}

/** What was told was not so: every part is to be uploaded again. */
export async function forgetEtags(db: D1Database, upload: Named): Promise<void> {
  await reach("forget parts", () => drizzle(db).update(uploads).set({ etags: "{}" }).where(isThis(upload)).run());
}

export async function deleteUpload(db: D1Database, upload: Named): Promise<void> {
  await reach("delete upload", () => drizzle(db).delete(uploads).where(isThis(upload)).run());
}
