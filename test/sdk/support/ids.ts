import { ConversationId, DeviceId, EventId, UserId } from "../../../src/protocol/ids.ts";

const padded = (name: string, length: number): string => name.toUpperCase().padStart(length, "0");

/** Ids that are readable where a test fails; `name` in letters and digits of Crockford's base32. */
export const userId = (name: string | number): UserId => UserId.parse(padded(`${name}`, 26));
export const deviceId = (name: string | number): DeviceId => DeviceId.parse(padded(`${name}`, 26));
export const eventId = (name: string | number): EventId => EventId.parse(padded(`${name}`, 26));
export const conversationId = (name: string | number): ConversationId =>
  ConversationId.parse(`g${padded(`${name}`, 26)}`);
