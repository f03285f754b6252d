import type { Conversation, Profile } from "../src/protocol/http.ts";
import type { ConversationId, DeviceId, UserId } from "../src/protocol/ids.ts";
import type { Tokens } from "./accounts.ts";
import { isFields } from "./checks.ts";
import { call } from "./doors.ts";
import { readJson } from "./storage.ts";

/** Many names come at once when a device is new: they are written together. Ms. */
const SAVE_AFTER_MS = 200;

type Known = { users: Record<string, Profile>; conversations: Record<string, Conversation> };

/** Who people are and what conversations are called: asked once, kept for the next time, asked again when it may have changed. */
export class Names {
  readonly #key: string;
  readonly #tokens: Tokens;
  readonly #onChange: () => void;
  #known: Known;
  #saving: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  readonly #asked = new Set<string>();
  /** The last seq at which each conversation's members or title changed, as far as it was asked. */
  readonly #askedAt = new Map<ConversationId, number>();

  constructor(deviceId: DeviceId, tokens: Tokens, onChange: () => void) {
    this.#key = `edgewise.device.${deviceId}.names`;
    this.#tokens = tokens;
    this.#onChange = onChange;
    this.#known = knownIn(readJson(this.#key));
  }

  handle(id: UserId): string {
    const known = this.#known.users[id];
    if (!known) void this.#ask(id, (token) => this.#askUser(id, token));
    return known ? known.handle : "…";
  }

  displayName(id: UserId): string {
    return this.#known.users[id]?.displayName ?? "";
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
    return answer.ok;
  }

  async #askConversation(id: ConversationId, changedAt: number, token: string): Promise<boolean> {
    const answer = await call("conversation", { params: { id }, token });
    if (!answer.ok) return false;
    this.#askedAt.set(id, changedAt);
    this.keep(answer.value.conversation);
    return true;
  }

  keep(conversation: Conversation): void {
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
    if (!this.#isOver)
      this.#saving ??= setTimeout(() => {
        this.#saving = undefined;
        try {
          localStorage.setItem(this.#key, JSON.stringify(this.#known));
        } catch {
          // no room: asked again next time
        }
      }, SAVE_AFTER_MS);
    this.#onChange();
  }

  /** Nothing is kept any more. */
  stop(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    this.#isOver = true;
  }
}

/** What an earlier page kept, so far as it still fits. */
function knownIn(stored: unknown): Known {
  const { users, conversations } = isFields(stored) ? stored : {};
  return {
    users: Object.fromEntries(Object.entries(isFields(users) ? users : {}).filter(isProfile)),
    conversations: Object.fromEntries(
      Object.entries(isFields(conversations) ? conversations : {}).filter(isConversation),
    ),
  };
}

const isProfile = (entry: [string, unknown]): entry is [string, Profile] =>
  isFields(entry[1]) && typeof entry[1].handle === "string" && typeof entry[1].displayName === "string";
const isConversation = (entry: [string, unknown]): entry is [string, Conversation] =>
  isFields(entry[1]) && Array.isArray(entry[1].members) && isFields(entry[1].mine) && typeof entry[1].kind === "string";
