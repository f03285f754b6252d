import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { applyChange, type Change, NOTHING_STORED } from "../../src/sdk/index.ts";
import { DeviceStore } from "../../web/device-store.ts";
import { conversationId } from "./support/ids.ts";
import { HERE, key, MY_DEVICE, message, Script } from "./support/script.ts";

/** What a browser gives: strings by name, and an exception where there is no more room (in characters). */
class FakeStorage {
  readonly items = new Map<string, string>();
  readonly #room: number;
  constructor(room: number) {
    this.#room = room;
  }
  get length(): number {
    return this.items.size;
  }
  key(i: number): string | null {
    return [...this.items.keys()][i] ?? null;
  }
  getItem(name: string): string | null {
    return this.items.get(name) ?? null;
  }
  setItem(name: string, value: string): void {
    const others = [...this.items]
      .filter(([other]) => other !== name)
      .map(([other, text]) => other.length + text.length);
    if (others.reduce((sum, n) => sum + n, name.length + value.length) > this.#room)
      throw new Error("QuotaExceededError");
    this.items.set(name, value);
  }
  removeItem(name: string): void {
    this.items.delete(name);
  }
}

function browser(room = 1_000_000_000): FakeStorage {
  const storage = new FakeStorage(room);
  vi.stubGlobal("localStorage", storage);
  return storage;
}
afterEach(() => vi.unstubAllGlobals());

/** Steps of one replica: each list is stored at once. */
const steps = fc
  .array(
    fc.record({
      conversation: fc.integer({ min: 1, max: 2 }),
      events: fc.nat(450),
      hole: fc.nat(3),
      forget: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((all) => {
    const covered = new Map<number, number>();
    return all.map(({ conversation, events, hole, forget }, i): Change[] => {
      if (forget && i % 3 === 2) {
        covered.clear();
        return [{ type: "forgot" }];
      }
      const id = conversationId(conversation);
      const from = (covered.get(conversation) ?? 0) + hole;
      covered.set(conversation, from + events);
      const grown = Array.from({ length: events }, (_, n) => message(from + n + 1));
      return [
        { type: "grew", conversationId: id, covered: from + events, events: grown },
        { type: "cursor", cursor: `E.${i}` },
      ];
    });
  });

describe("what the page keeps in the browser", () => {
  test("[CL-24] what is read back is what was stored last, at whatever step the page died", () => {
    fc.assert(
      fc.property(steps, (all) => {
        browser();
        let state = NOTHING_STORED;
        const store = new DeviceStore(MY_DEVICE);
        for (const changes of all) {
          state = changes.reduce(applyChange, state);
          store.keep(changes, state);
          expect(new DeviceStore(MY_DEVICE).load()).toEqual(state);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("[CL-24] where there is no room the logs are let go, and the outbox stays", () => {
    const storage = browser(60_000);
    const script = new Script().open().wish(1);
    const store = new DeviceStore(MY_DEVICE);
    store.keep([{ type: "cursor", cursor: "E.1" }], script.disk);
    const events = Array.from({ length: 500 }, (_, i) => message(i + 1));
    const { store: changes } = script.hear({ type: "events", conversationId: HERE, events });
    store.keep(changes, script.disk);
    const kept = new DeviceStore(MY_DEVICE).load();
    expect(kept).toEqual({ cursor: null, conversations: {}, outbox: script.disk.outbox });
    expect(kept.outbox[0]?.wishId).toBe(key(1));
    expect([...storage.items.keys()].filter((name) => name.includes("events"))).toEqual([]);
  });

  test("[CL-29] what an older page stored is shown, with its outbox, until the server has listed everything anew", () => {
    const storage = browser();
    const script = new Script().open().wish(1);
    const { store: changes } = script.hear({ type: "events", conversationId: HERE, events: [message(1)] });
    new DeviceStore(MY_DEVICE).keep([...changes, { type: "cursor", cursor: "E.1" }], { ...script.disk, cursor: "E.1" });
    for (const [name, text] of storage.items) {
      const older = text.replace(/,"ticks":.*?"memberCount":0/, ',"receipts":{}').replace(',"shape":2', "");
      storage.items.set(name, older);
    }
    expect([...storage.items.values()].join()).not.toMatch(/ticks|shape/);
    expect(new DeviceStore(MY_DEVICE).load()).toEqual({ ...script.disk, cursor: null });
  });

  test("[CL-24] of what is in another shape the outbox is read where it can be", () => {
    const storage = browser();
    const script = new Script().wish(1);
    new DeviceStore(MY_DEVICE).keep([{ type: "cursor", cursor: "E.1" }], script.disk);
    for (const [name, text] of storage.items)
      storage.items.set(name, text.replace('"conversations":{}', '"conversations":{"x":1}'));
    expect(new DeviceStore(MY_DEVICE).load()).toEqual({ ...NOTHING_STORED, outbox: script.disk.outbox });
    for (const name of storage.items.keys()) storage.items.set(name, "{");
    expect(new DeviceStore(MY_DEVICE).load()).toEqual(NOTHING_STORED);
  });

  test("forgetting a device leaves nothing of it", () => {
    const storage = browser();
    const script = new Script().open();
    const { store: changes } = script.hear({ type: "events", conversationId: HERE, events: [message(1)] });
    const store = new DeviceStore(MY_DEVICE);
    store.keep(changes, script.disk);
    expect(storage.length).toBe(2);
    store.forget();
    expect(storage.length).toBe(0);
  });
});
