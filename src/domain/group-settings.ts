import type { GroupRules } from "../protocol/group-rules.ts";
import type { MediaId, UserId } from "../protocol/ids.ts";
import { type Result, refuse } from "../protocol/result.ts";
import { FIRST_RULES, isAllowed, rulesOf } from "./group-rules.ts";
import { type ConversationKind, isBlocking, type Membership, mayAct, type Roster } from "./membership.ts";

/** What is set for all members of a conversation. `retentionMs`: 0: for ever. `avatarMediaId`: null: none. */
export type Settings = { title: string; retentionMs: number; avatarMediaId: MediaId | null } & GroupRules;
export type SettingsChange = { [K in keyof Settings]?: Settings[K] | undefined };

type Refused = "not_found" | "not_member" | "forbidden";

/** [GR-8] Who may change this. [LM-14] In a direct conversation either says how long messages are kept, and there is nothing else. */
export function maySet(
  facts: { kind: ConversationKind; roster: Roster; actorId: UserId; settings: SettingsChange },
  change: SettingsChange,
): Result<Membership, Refused> {
  const actor = facts.roster.get(facts.actorId);
  if (facts.kind === "direct" && actor && isKeepingAlone(change))
    return isBlocking(actor) ? refuse("forbidden", "unblock this person first") : { ok: true, value: actor }; // [BL-3]
  const may = mayAct(facts); // [GR-3]
  if (!may.ok) return may;
  const who = laysDownRules(change) ? "admins" : rulesOf(facts.settings).setting;
  return isAllowed(may.value, who) ? may : refuse("forbidden", "admins only");
}

const given = (change: SettingsChange): string[] =>
  Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : name));
const isKeepingAlone = (change: SettingsChange): boolean => given(change).every((name) => name === "retentionMs");
const laysDownRules = (change: SettingsChange): boolean => given(change).some((name) => name in FIRST_RULES);

/** What of the change is news; null: all of it is so already, and nothing is appended. */
export function newsOf(settings: SettingsChange, change: SettingsChange): SettingsChange | null {
  const { title, retentionMs = 0, avatarMediaId = null } = settings;
  const before: Record<string, unknown> = { title, retentionMs, avatarMediaId, ...rulesOf(settings) };
  const news = Object.entries(change).filter(([name, value]) => value !== undefined && value !== before[name]);
  return news.length > 0 ? Object.fromEntries(news) : null;
}
