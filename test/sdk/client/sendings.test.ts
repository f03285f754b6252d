import { expect, test } from "vitest";
import type { Environment } from "../../../src/sdk/client/environment.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { Sendings } from "../../../src/sdk/client/sendings.ts";
import { applyClientChange, type ClientChange, type ClientState, NOTHING_KEPT } from "../../../src/sdk/client/state.ts";
import { KeyMint } from "../../../src/sdk/keys.ts";
import { type Entry, NOTHING_STORED } from "../../../src/sdk/state.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { HERE, key, message } from "../support/script.ts";
import { impatient, live, open, signUp, until } from "./support/people.ts";

const TEXT: Entry["event"] = { kind: "message", content: { type: "text", text: "hello" } };
const failed = (wishId: Entry["wishId"], event: Entry["event"]): Entry => ({
  ...{ wishId, idempotencyKey: wishId, conversationId: HERE, composedAt: 1, event },
  standing: { is: "failed", code: "forbidden" },
});

/** A tab that has sent something, and what it shows once another tab leads. */
function sent() {
  let state: ClientState = NOTHING_KEPT;
  const sendings = new Sendings({
    ...{ mint: new KeyMint(NOTHING_STORED), now: () => 1, state: () => state, tell: () => {} },
  });
  const sending = sendings.send(HERE, TEXT);
  const learn = (...changes: ClientChange[]) => {
    state = changes.reduce(applyClientChange, state);
    sendings.reconcile();
  };
  return { sending, wishId: sending.id as Entry["wishId"], learn };
}

test("[CL-48] [CL-76] what was appended, and told to nobody, is told when another tab leads", async () => {
  const { sending, wishId, learn } = sent();
  learn({ type: "grew", conversationId: HERE, covered: 7, events: [{ ...message(7), idempotencyKey: wishId }] });
  expect(await sending.sent).toBe(7);
});

test("[CL-76] so is what failed", async () => {
  const { sending, wishId, learn } = sent();
  learn({ type: "entry", entry: failed(key(99), TEXT) });
  expect(sending.state).toEqual({ is: "queued" });
  learn({ type: "entry", entry: failed(wishId, TEXT) });
  await expect(sending.sent).rejects.toMatchObject({ code: "forbidden" });
});

test("[CL-76] a failure that no line shows stays for the tabs that join, and is let go of when they have heard", async () => {
  const waits: (() => void)[] = [];
  const after: Environment["after"] = (ms, act) => {
    if (ms !== 10_000) return impatient.after(ms, act);
    waits.push(act);
    return () => {};
  };
  const [server, storage] = [fakeServer(), memoryStorage()];
  const before = await signUp(server, "alice", { storage });
  await before.close();
  const store = await storage.open(`default@${server.options.url}`);
  const entries = [
    failed(key(1), { kind: "reaction", targetSeq: 1, emoji: "👍" } as Entry["event"]),
    failed(key(2), TEXT),
  ];
  await store.write(entries.map((entry, order) => ({ key: `out/${entry.wishId}`, value: { order, entry } })));
  const alice = await open(server, { storage, environment: { ...impatient, after } });
  await live(alice);
  const outbox = () => alice.state.replica.outbox.map(({ wishId }) => wishId);
  expect(outbox()).toEqual([key(1), key(2)]);
  for (const act of waits) act();
  await until(() => outbox().length === 1);
  expect(outbox()).toEqual([key(2)]);
});
