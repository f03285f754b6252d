import { DELETED, type Known, type Names } from "./names.ts";
import { durationText, namesText } from "./phrases.ts";
import type { Conversation, ConversationId, Event, MediaId, Member, Role, UserId } from "./wire.ts";

type Note = Extract<Event, { kind: "member" | "settings" }>;

/** What things are called on the screen, in the state as it is now. */
export class Naming {
  readonly #names: Names;
  readonly #me: UserId;

  constructor(names: Names, me: UserId) {
    this.#names = names;
    this.#me = me;
  }

  #known(id: ConversationId) {
    return this.#names.conversation(id);
  }

  handle(id: UserId): string {
    return this.#names.handle(id);
  }

  /** What somebody calls themselves. */
  name(id: UserId): string {
    return this.#names.name(id);
  }

  isGroup(id: ConversationId): boolean {
    return this.#known(id)?.kind === "group";
  }

  /** Mine in it; null: I am not in it any more. Undefined: nobody knows yet. */
  role(id: ConversationId): Role | null | undefined {
    return this.#known(id)?.mine.role;
  }

  /** The members, I among them. */
  people(id: ConversationId): readonly Member[] {
    return this.#known(id)?.members ?? [];
  }

  /** Whether I may take away what others said here. */
  isAdmin(id: ConversationId): boolean {
    return this.isGroup(id) && this.#known(id)?.mine.role === "admin";
  }

  /** A group's picture, or that of the other one. */
  picture(id: ConversationId): MediaId | null {
    const peer = this.peer(id);
    return peer ? this.face(peer) : (this.#known(id)?.avatarMediaId ?? null);
  }

  /** Somebody's picture, if they have one and show it to me. */
  face(id: UserId): MediaId | null {
    return this.#names.face(id);
  }

  /** What the group's admins have laid down; as at its beginning where nothing is known. */
  rules(id: ConversationId): Rules {
    return rulesOf(this.#known(id));
  }

  /** [GR-8] Whether I may do this in it: of a group whoever is let, of a conversation with one person either. */
  may(id: ConversationId, what: "sending" | "setting" | "adding"): boolean {
    const known = this.#known(id);
    if (known?.kind !== "group") return what !== "adding";
    const { role } = known.mine;
    return role === "admin" || (role !== null && rulesOf(known)[what] === "members");
  }

  /** How long messages are kept; 0: for ever. Ms. */
  retentionMs(id: ConversationId): number {
    return this.#known(id)?.retentionMs ?? 0;
  }

  /** Whether I may say how long messages are kept. */
  maySetRetention(id: ConversationId): boolean {
    return this.#known(id) !== undefined && this.may(id, "setting");
  }

  /** The other members. */
  others(id: ConversationId): UserId[] {
    const members = this.#known(id)?.members ?? [];
    return members.map(({ userId }) => userId).filter((userId) => userId !== this.#me);
  }

  /** The other one of a direct conversation. */
  peer(id: ConversationId): UserId | null {
    return this.#known(id)?.kind === "direct" ? (this.others(id)[0] ?? null) : null;
  }

  title(id: ConversationId): string {
    const known = this.#known(id);
    if (!known) return "…";
    if (known.kind === "group") return known.title ?? "Group";
    const others = this.others(id).map((other) => this.name(other));
    return others.length > 0 ? others.join(", ") : DELETED;
  }

  /** Who is in it besides me; only of groups. */
  members(id: ConversationId): string {
    const known = this.#known(id);
    if (known?.kind !== "group") return "";
    if (known.mine.role === null) return "You are not in this group any more";
    return ["you", ...this.others(id).map((other) => this.name(other))].join(", ");
  }

  /** `also`: who was brought in in the same go. */
  note(event: Note, also: readonly UserId[] = []): string {
    const actor = this.#person(event.senderId);
    if (event.kind === "settings") return settingsNote(actor, event);
    const person = this.#person(event.userId);
    if (event.erased) return `${DELETED}: all it wrote is gone`;
    if (event.change === "left") return `${person} left`;
    if (event.change === "role") return `${actor} made ${person} ${event.role === "admin" ? "an admin" : "a member"}`;
    if (event.change === "added" && event.userId === event.senderId)
      return event.seq === 1 ? `${actor} made the group` : `${actor} joined by an invite`; // whoever makes it comes first
    return `${actor} ${event.change} ${this.#people([event.userId, ...also])}`;
  }

  /** Three at most by their names, and I before all. */
  #people(ids: readonly UserId[]): string {
    const names = ids.toSorted((a, b) => Number(b === this.#me) - Number(a === this.#me)).map((id) => this.#person(id));
    return namesText(names, 3);
  }

  #person(id: UserId): string {
    return id === this.#me ? "you" : this.name(id);
  }
}

type Rules = { [R in "sending" | "setting" | "adding" | "approval" | "history"]-?: NonNullable<Conversation[R]> };
const rulesOf = (known: Partial<Conversation> | Known | undefined): Rules => ({
  sending: known?.sending ?? "members",
  setting: known?.setting ?? "admins",
  adding: known?.adding ?? "admins",
  approval: known?.approval ?? false,
  history: known?.history ?? "joined",
});

function settingsNote(actor: string, event: Extract<Note, { kind: "settings" }>): string {
  const { title, retentionMs, avatarMediaId, sending, setting, adding, approval, history } = event;
  const named = title === undefined ? [] : [`${actor} named the group “${title}”`];
  const after = retentionMs ? `disappear after ${durationText(retentionMs)}` : "stay";
  const kept = retentionMs === undefined ? [] : [`${actor} set new messages to ${after}`];
  const pictured = avatarMediaId === undefined ? [] : [`${actor} ${avatarMediaId ? "changed" : "removed"} the picture`];
  const is = (who: "members" | "admins") => (who === "members" ? "all members" : "admins alone");
  const rules = [
    sending && `${is(sending)} send`,
    setting && `${is(setting)} change the settings`,
    adding && `${is(adding)} bring people in`,
    approval !== undefined && (approval ? "admins let people in" : "who has an invite comes in"),
    history && (history === "all" ? "newcomers see what was before" : "newcomers see what comes after them"),
  ].flatMap((rule) => (rule ? [`${actor} set that ${rule}`] : []));
  return [...named, ...pictured, ...kept, ...rules].join("; ");
}
