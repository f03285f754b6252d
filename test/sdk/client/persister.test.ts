import { setImmediate as nextTask } from "node:timers/promises";
import { expect, test } from "vitest";
import { environmentOf } from "../../../src/sdk/client/environment.ts";
import { Persister } from "../../../src/sdk/client/persister.ts";
import { applyClientChange, type ClientChange, type ClientState, NOTHING_KEPT } from "../../../src/sdk/client/state.ts";
import type { Store, Write } from "../../../src/sdk/client/storage.ts";
import { Encoder } from "../../../src/sdk/client/stored.ts";

/** Holds each write back until it is told that there is room for it, or none. */
class TightStore implements Pick<Store, "read" | "write"> {
  readonly rows = new Map<string, unknown>();
  readonly #waiting: ((hasRoom: boolean) => void)[] = [];

  async read(prefix: string): Promise<[string, unknown][]> {
    return [...this.rows].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async write(batch: readonly Write[]): Promise<void> {
    const hasRoom = await new Promise<boolean>((resolve) => this.#waiting.push(resolve));
    if (!hasRoom) throw new Error("QuotaExceededError");
    for (const { key, value } of batch) value === undefined ? this.rows.delete(key) : this.rows.set(key, value);
  }

  async answer(hasRoom: boolean): Promise<void> {
    this.#waiting.shift()?.(hasRoom);
    await nextTask();
  }
}

test("[CL-24] what waited for a write that found no room does not bring back the seq of a log that is let go, and what wishes are called stays", async () => {
  const store = new TightStore();
  const persister = new Persister(store as unknown as Store, environmentOf(), () => {});
  let state: ClientState = NOTHING_KEPT;
  const keep = (change: unknown) => {
    state = applyClientChange(state, change as ClientChange);
    persister.keep([change as ClientChange], state);
  };
  const conversationId = "c";
  const entry = {
    wishId: "w",
    idempotencyKey: "w",
    conversationId,
    composedAt: 1,
    event: {},
    standing: { is: "waiting" },
  };
  keep({ type: "alias", key: "w", wishId: "v" });
  keep({ type: "grew", conversationId, covered: 2, events: [{ seq: 1 }, { seq: 2 }] });
  keep({ type: "marked", conversationId, marks: { read: 2 } }); // waits for the write before it
  keep({ type: "cursor", cursor: "life.7" });
  keep({ type: "entry", entry });
  await store.answer(false);
  await store.answer(true); // without the logs
  await store.answer(true); // what waited
  const { replica, aliases } = new Encoder().load(await store.read(""));
  expect(replica.conversations).toEqual({}); // it is fetched anew, and not taken for whole
  expect(replica.cursor).toBeNull();
  expect(aliases).toEqual({ w: "v" }); // else a wish that is said again would be made again
  expect(replica.outbox.map(({ wishId }) => wishId)).toEqual(["w"]);
});
