import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { OF_A_PERSON } from "../domain/media.ts";
import type { ConversationId, DeviceId, IdempotencyKey, MediaId, UserId } from "../protocol/ids.ts";
import type { Privacy } from "../protocol/states.ts";

/** The tables of migrations/directory as drizzle sees them; a test compares the two. What each column means is said there. */
export const users = sqliteTable("users", {
  userId: text("user_id").$type<UserId>().primaryKey(),
  handle: text("handle").notNull(),
  displayName: text("display_name").notNull(),
  passwordHash: text("password_hash"),
  lastSeen: text("last_seen").$type<Privacy["lastSeen"]>().notNull(),
  readReceipts: text("read_receipts").$type<Privacy["readReceipts"]>().notNull(),
  createdAt: integer("created_at").notNull(),
  signedInAt: integer("signed_in_at").notNull(),
  conversations: text("conversations").$type<Privacy["conversations"]>().notNull().default("everyone"),
  findable: text("findable").$type<Privacy["findable"]>().notNull().default("everyone"),
  version: integer("version").notNull().default(0),
  words: text("words"),
  avatarMediaId: text("avatar_media_id").$type<MediaId>(),
  picture: text("picture").$type<Privacy["picture"]>().notNull().default("everyone"),
});

export const identities = sqliteTable(
  "identities",
  {
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    userId: text("user_id").$type<UserId>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.issuer, table.subject] })],
);

export const devices = sqliteTable("devices", {
  deviceId: text("device_id").$type<DeviceId>().primaryKey(),
  userId: text("user_id").$type<UserId>().notNull(),
  name: text("name").notNull(),
  generation: integer("generation").notNull(),
  createdAt: integer("created_at").notNull(),
  lastUsedAt: integer("last_used_at").notNull(),
  revokedAt: integer("revoked_at"),
  /** The key of the last trade of a refresh token; null: a sign-in came after it, or it had none. */
  renewedBy: text("renewed_by").$type<IdempotencyKey>(),
});

export const contacts = sqliteTable(
  "contacts",
  {
    lowId: text("low_id").$type<UserId>().notNull(),
    highId: text("high_id").$type<UserId>().notNull(),
    askerId: text("asker_id").$type<UserId>(),
    lowVersion: integer("low_version").notNull().default(0),
    highVersion: integer("high_version").notNull().default(0),
    ended: integer("ended").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.lowId, table.highId] })],
);

export const media = sqliteTable("media", {
  mediaId: text("media_id").$type<MediaId>().primaryKey(),
  userId: text("user_id").$type<UserId>().notNull(),
  conversationId: text("conversation_id").$type<ConversationId | typeof OF_A_PERSON>().notNull(),
  contentType: text("content_type").notNull(),
  bytes: integer("bytes").notNull(),
  sha256: text("sha256").notNull(),
  objectKey: text("object_key").notNull(),
  claim: text("claim"),
  touchedAt: integer("touched_at").notNull(),
  kept: integer("kept").notNull(),
});

export const uploads = sqliteTable("uploads", {
  objectKey: text("object_key").primaryKey(),
  uploadId: text("upload_id").notNull(),
  md5s: text("md5s").notNull(),
  etags: text("etags").notNull(),
});

export const blocks = sqliteTable(
  "blocks",
  {
    blockerId: text("blocker_id").$type<UserId>().notNull(),
    blockedId: text("blocked_id").$type<UserId>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.blockerId, table.blockedId] })],
);

export const nameWords = sqliteTable(
  "name_words",
  { word: text("word").notNull(), userId: text("user_id").$type<UserId>().notNull() },
  (table) => [primaryKey({ columns: [table.word, table.userId] })],
);

/** A user's row. `signedInAt`: ms, the newest successful sign-in. */
export type Account = typeof users.$inferSelect;
/** A device's row. */
export type DeviceRow = typeof devices.$inferSelect;
