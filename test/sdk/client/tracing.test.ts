import { expect, test } from "vitest";
import type { DeviceId, IdempotencyKey } from "../../../src/protocol/ids.ts";
import { EdgewiseError } from "../../../src/sdk/client/errors.ts";
import { trace } from "../../../src/sdk/client/tracing.ts";
import type { Happening } from "../../../src/sdk/happenings.ts";
import { HERE, key, message } from "../support/script.ts";

const HEAD = 25_000;
const PAGE = 200;
const GONE = "00000000000000000000000LEFT" as DeviceId;
type Traced = Extract<Happening, { type: "traced" }>;
type Unsure = Parameters<typeof trace>[2][number];

const wish = (n: number, after = 10): Unsure => ({
  ...{ wishId: key(n), idempotencyKey: key(n), conversationId: HERE, composedAt: 1, leftAs: GONE },
  ...{ event: { kind: "message", content: { type: "text", text: "?" } }, standing: { is: "unsure", after } },
});

/** A log in which these keys lie, by their seqs; `breaksAt`: the requests that fail. */
function logWith(keys: ReadonlyMap<number, IdempotencyKey>, breaksAt: readonly number[] = []) {
  const asked: number[] = [];
  const call = async (_: string, { query }: { query: { after: number } }) => {
    asked.push(query.after);
    if (breaksAt.includes(asked.length)) throw new EdgewiseError("unavailable");
    const count = Math.min(PAGE, HEAD - query.after);
    const seqs = Array.from({ length: count }, (_, i) => query.after + 1 + i);
    const events = seqs.map((seq) => {
      const idempotencyKey = keys.get(seq);
      return idempotencyKey ? { ...message(seq), deviceId: GONE, idempotencyKey } : message(seq);
    });
    return { events, hasMore: query.after + count < HEAD };
  };
  return { sessions: { call } as never, asked };
}

test("[CL-66] a wish is found however much was said since, and what is found stops the search", async () => {
  const { sessions, asked } = logWith(new Map([[20_000, key(1)]]));
  const told: Traced[] = [];
  await trace(sessions, HERE, [wish(1)], (traced) => void told.push(traced));
  expect(told.at(-1)).toMatchObject({ found: [{ wishId: key(1), seq: 20_000 }], reached: 20_010 });
  expect(asked).toHaveLength(100);
  expect(told.slice(0, -1).every(({ found, reached }) => found.length === 0 && reached !== undefined)).toBe(true);
});

test("[CL-66] only when all of the log was looked through a wish is said not to be there", async () => {
  const { sessions, asked } = logWith(new Map([[11, key(2)]]));
  const told: Traced[] = [];
  await trace(sessions, HERE, [wish(1), wish(2)], (traced) => void told.push(traced));
  expect(told[0]).toMatchObject({ found: [{ wishId: key(2), seq: 11 }] });
  expect(told.filter(({ reached }) => reached === undefined)).toEqual([told.at(-1)]);
  expect(asked).toHaveLength(Math.ceil((HEAD - 10) / PAGE));
});

test("[CL-66] a search that broke off says how far it came", async () => {
  const { sessions } = logWith(new Map([[20_000, key(1)]]), [4]);
  const told: Traced[] = [];
  const done = trace(sessions, HERE, [wish(1)], (traced) => void told.push(traced));
  await expect(done).rejects.toMatchObject({ code: "unavailable" });
  expect(told.map(({ reached }) => reached)).toEqual([210, 410, 610]);
});
