import { mayBegin } from "../domain/visibility.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { ContactNews } from "./rpc.ts";
import type { Sockets } from "./sockets.ts";

type Parts = { store: InboxStore; sockets: Sockets };

/** Whom this user knows, blocks and lets begin, as the directory tells their inbox. */
export class Acquaintances {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  setContact(otherId: UserId, accepted: boolean, version: number, news: ContactNews): void {
    const { people } = this.parts.store;
    if (!people.setContact(otherId, accepted, version)) return; // [CT-7] told late: newer is known
    if (news === "none" || (news === "asked" && people.isBlocked(otherId))) return; // [BL-6]
    this.changed(version);
  }

  /** The user's devices are to ask for their contacts. */
  changed(version: number): void {
    this.parts.sockets.tellAll({ type: "self", contactsVersion: version }, Date.now()); // [CT-16]
  }

  /** Whether this user lets that one begin a conversation with them, or go on with it. */
  admits(callerId: UserId, conversationId: ConversationId | null): boolean {
    const { store } = this.parts;
    const isListed = conversationId !== null && store.position(conversationId) !== undefined;
    const isContact = store.people.isContact(callerId);
    return mayBegin({ lets: store.privacy.conversations, isContact, isListed });
  }
}
