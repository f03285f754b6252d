import { expect, test } from "vitest";
import type { MessageEvent } from "../../../src/protocol/events.ts";
import type { ConversationId } from "../../../src/protocol/ids.ts";
import { applyClientChange, type ClientChange, NOTHING_KEPT } from "../../../src/sdk/client/state.ts";
import { Encoder } from "../../../src/sdk/client/stored.ts";
import { View } from "../../../src/sdk/client/view.ts";
import { NOTHING_LIVE } from "../../../src/sdk/live.ts";
import { Replica } from "../../../src/sdk/replica.ts";
import { conversationId } from "../support/ids.ts";
import { ME, message, START } from "../support/script.ts";

const CONVERSATIONS = 500;

/** The rows of a store that holds so many messages of each conversation. */
function stored(each: number): (readonly [string, unknown])[] {
  const encoder = new Encoder();
  const rows = new Map<string, unknown>();
  let state = NOTHING_KEPT;
  for (let n = 1; n <= CONVERSATIONS; n++) {
    const id: ConversationId = conversationId(n);
    const events = Array.from({ length: each }, (_, i): MessageEvent => ({ ...message(i + 1), conversationId: id }));
    const about = { kind: "group" as const, title: `Group ${n}` };
    const changes: ClientChange[] = [
      { type: "grew", conversationId: id, covered: each, events },
      { type: "about", conversationId: id, about },
    ];
    state = changes.reduce(applyClientChange, state);
    for (const { key, value } of encoder.encode(changes, state)) rows.set(key, value);
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

test("[CL-39] [CL-47] 500 conversations with 50,000 messages are there to be shown for little work", () => {
  const rows = stored(100);
  const text = JSON.stringify(rows);
  const begun = process.cpuUsage(); // what others do on this machine meanwhile does not count
  const state = new Encoder().load(JSON.parse(text));
  const view = new View();
  const sight = { state, moment: { live: NOTHING_LIVE }, me: ME, device: null, now: START };
  const list = view.list(sight);
  const lines = view.lines(conversationId(1), sight);
  const { user, system } = process.cpuUsage(begun);
  expect(list).toHaveLength(CONVERSATIONS);
  expect(list[0]).toMatchObject({ unread: 100, preview: { text: "text 100" } });
  expect(lines).toHaveLength(100);
  expect((user + system) / 1_000).toBeLessThan(1_500);
});

test("[CL-39] more than 50,000 are not kept: those that were quiet longest keep the fewest", () => {
  const { replica } = new Encoder().load(stored(150));
  const device = new Replica(replica, { keep: 500 });
  const { store } = device.handle({ type: "pruned" }, START);
  const kept = Object.values(device.state.conversations).map(({ events }) => events.length);
  expect(kept.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(50_000);
  expect(Math.min(...kept)).toBe(50);
  expect(store.every(({ type }) => type === "trimmed")).toBe(true);
});
