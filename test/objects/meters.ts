import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import type { Env } from "../../src/platform/env.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import { bindings } from "./support.ts";

/**
 * What an act costs, counted where it is billed: rows of the objects' cursors and of D1's `meta`, one for each `setAlarm`, and a request
 * for each call of an object, each alarm, and each twentieth frame that comes in on a socket.
 */
export const bill = { rows: 0, calls: 0, alarms: 0, frames: 0 };
export const FRAMES_PER_REQUEST = 20;

type Innards = {
  env: Env;
  /** An inbox's. */
  store?: { rows: Rows };
  /** A conversation's, with a store for each thing it keeps. */
  ledger?: { store: object };
  clock: { storage: DurableObjectStorage };
};
type Rows = { sql: SqlStorage };

/** Puts meters on an object that is in memory. */
export const meter = (stub: DurableObjectStub): Promise<void> =>
  runInDurableObject(stub, (object) => {
    const innards = object as unknown as Innards;
    watchRows(innards, (cursor) => {
      bill.rows += cursor.rowsWritten;
    });
    innards.clock.storage = watching(innards.clock.storage, "setAlarm", () => {
      bill.rows += 1;
    });
    const env = countingEnv(innards.env);
    giveEnv(innards, env);
  });

/** Gives another environment to an object, its parts and theirs. */
export function giveEnv(part: object, env: Env): void {
  if (!Object.hasOwn(part, "env")) return;
  for (const own of Object.values(part)) if (typeof own === "object" && own !== null) giveEnv(own, env);
  Object.assign(part, { env });
}

/** Tells of every cursor of an object's stores. */
export function watchRows({ store, ledger }: Innards, saw: (cursor: SqlStorageCursor<never>) => void): void {
  const kept = ledger?.store ?? store ?? {};
  for (const one of [kept, ...Object.values(kept)] as Partial<Rows>[])
    if (one.sql) one.sql = watching(one.sql, "exec", (cursor) => saw(cursor as SqlStorageCursor<never>));
}

/** The same object, telling what a method answered. */
const watching = <T extends object>(real: T, method: string, saw: (answer: unknown) => void): T =>
  new Proxy(real, {
    get: (target, key) => {
      const value = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const answer = value.apply(target, args);
        if (key === method) saw(answer);
        return answer;
      };
    },
  });

function countingEnv(env: Env): Env {
  const namespace = (real: { getByName(name: string): object }) => ({
    getByName: (name: string) =>
      new Proxy(real.getByName(name), {
        get:
          (stub, method) =>
          (...args: unknown[]) => {
            bill.calls += 1;
            return (Reflect.get(stub, method) as (...a: unknown[]) => unknown)(...args);
          },
      }),
  });
  const database = (real: D1Database) => ({
    prepare: (query: string) => real.prepare(query),
    batch: async (statements: D1PreparedStatement[]) => {
      const results = await real.batch(statements);
      for (const { meta } of results) bill.rows += meta.rows_written;
      return results;
    },
  });
  return {
    ...env,
    CONVERSATIONS: namespace(env.CONVERSATIONS),
    INBOXES: namespace(env.INBOXES),
    HISTORY_0: database(env.HISTORY_0),
    HISTORY_1: database(env.HISTORY_1),
  } as unknown as Env;
}

type Cost = { rows: number; requests: number };

/** A line for `npm run bench:cost`. */
export const tell = (act: string, cost: Cost): void => console.log(`COST ${JSON.stringify({ act, ...cost })}`);

/** What a run costs, divided by how many of the act it does (`per`), with the alarm that settles it; told, too. */
export async function costOf(act: string, run: () => Promise<void>, per = 1): Promise<Cost> {
  Object.assign(bill, { rows: 0, calls: 0, alarms: 0, frames: 0 });
  await run();
  const requests = bill.calls + bill.alarms + bill.frames / FRAMES_PER_REQUEST;
  const cost = { rows: round(bill.rows / per), requests: round(requests / per) };
  tell(act, cost);
  return cost;
}
export const round = (n: number): number => Math.round(n * 100) / 100;

export async function settle(id: ConversationId): Promise<void> {
  if (await runDurableObjectAlarm(bindings.CONVERSATIONS.getByName(id))) bill.alarms += 1;
}
