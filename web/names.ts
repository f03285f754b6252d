import * as z from "zod";
import { Conversation, Profile } from "../src/protocol/http.ts";
import type { ConversationId, DeviceId, UserId } from "../src/protocol/ids.ts";
import type { Tokens } from "./accounts.ts";
import { call } from "./doors.ts";
import { readJson } from "./storage.ts";

const Known = z.object({ users: z.record(z.string(), Profile), conversations: z.record(z.string(), Conversation) });
type Known = z.infer<typeof Known>;

/** What somebody is called who was erased. */
export const DELETED = "Deleted account";

/** Who people are and what conversations are called: asked once, kept for the next time, asked again when it may have changed. */
export class Names {
  readonly #key: string;
  readonly #tokens: Tokens;
  readonly #onChange: () => void;
  #known: Known;
  readonly #asked = new Set<string>();
  /** The last seq at which each conversation's members or title changed, as far as it was asked. */
  readonly #askedAt = new Map<ConversationId, number>();

  constructor(deviceId: DeviceId, tokens: Tokens, onChange: () => void) {
    this.#key = `edgewise.device.${deviceId}.names`;
    this.#tokens = tokens;
    this.#onChange = onChange;
    const stored = Known.safeParse(readJson(this.#key));
    this.#known = stored.data ?? { users: {}, conversations: {} };
  }

  handle(id: UserId): string {
    const known = this.#known.users[id];
    if (!known) void this.#ask(id, (token) => this.#askUser(id, token));
    return known ? known.handle : "…";
  }

  /** What is known of the conversation; asks when that is nothing, or older than the change at `changedAt` (seq). */
  conversation(id: ConversationId, changedAt: number): Conversation | undefined {
    const known = this.#known.conversations[id];
    const isStale = !known || changedAt > Math.max(known.head, this.#askedAt.get(id) ?? 0);
    if (isStale) void this.#ask(id, (token) => this.#askConversation(id, changedAt, token));
    return known;
  }

  async #askUser(id: UserId, token: string): Promise<boolean> {
    const answer = await call("user", { params: { userId: id }, token });
    if (answer.ok) this.keepUser(answer.value);
    else if (answer.code === "not_found") this.keepUser({ userId: id, handle: DELETED, displayName: DELETED });
    else return false;
    return true;
  }

  async #askConversation(id: ConversationId, changedAt: number, token: string): Promise<boolean> {
    const answer = await call("conversation", { params: { id }, token });
    if (!answer.ok) return false;
    this.#askedAt.set(id, changedAt);
    this.keep(answer.value.conversation);
    return true;
  }

  keep(conversation: Conversation): void {
    const here = new Set(conversation.members.map(({ userId }) => userId));
    const before = this.#known.conversations[conversation.conversationId]?.members ?? [];
    for (const { userId } of before) // whoever has gone may be gone for good, and then has no name any more
      if (!here.has(userId)) void this.#ask(userId, (token) => this.#askUser(userId, token));
    this.#known.conversations[conversation.conversationId] = conversation;
    this.#save();
  }

  keepUser({ userId, handle, displayName }: Profile): void {
    this.#known.users[userId] = { userId, handle, displayName };
    this.#save();
  }

  /** What was not answered may be asked again: the server is there now. */
  retry(): void {
    this.#asked.clear();
    this.#onChange();
  }

  /** One question at a time about the same thing; one that was not answered is not asked again until `retry`. */
  async #ask(what: string, question: (token: string) => Promise<boolean>): Promise<void> {
    if (this.#asked.has(what)) return;
    this.#asked.add(what);
    const token = await this.#tokens.fresh();
    if (token === null || token === "signed_out") return;
    if (await question(token)) this.#asked.delete(what);
  }

  #save(): void {
    try {
      localStorage.setItem(this.#key, JSON.stringify(this.#known));
    } catch {
      // no room: asked again next time
    }
    this.#onChange();
  }
}
