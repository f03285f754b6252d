import type { ConversationId, InviteCode, UserId } from "./wire.ts";

/**
 * Checks by hand of what the schemas say, so that neither the page nor its service worker carries the schemas. `test/sdk/page-checks.test.ts`
 * keeps them in step with those. [AP-3]
 */
export type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A whole number from `least` on. */
export const isCount = (value: unknown, least = 0): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least;

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const CONVERSATION = /^[dg][0-9A-HJKMNP-TV-Z]{26}$/;
const INVITE = /^[0-9A-HJKMNP-TV-Z]{26}[A-Za-z0-9_-]{22}$/;

export const isUserId = (value: unknown): value is UserId => typeof value === "string" && ULID.test(value);
export const isConversationId = (value: unknown): value is ConversationId =>
  typeof value === "string" && CONVERSATION.test(value);
export const isInviteCode = (value: unknown): value is InviteCode => typeof value === "string" && INVITE.test(value);
