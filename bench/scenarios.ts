import { performance } from "node:perf_hooks";
import { cpuDuring } from "./numbers.ts";
import type { BenchSocket } from "./socket.ts";
import type { Target } from "./targets.ts";

/** What one slice of load came to. Latencies in milliseconds, from the send to the parsed frame on the peer's socket. */
export type Slice = {
  seconds: number;
  messages: number;
  deliveries: number;
  latencies: number[];
  ackLatencies: number[];
  cpu: number;
};

const LOST_AFTER_MS = 15_000;
const TEXT = "Shall we meet at the usual place at seven, or do you need some more time to get there?";

/** One conversation in a closed loop: who sends in turn, and on how many sockets each message must arrive. */
type Loop = { conversationId: string; sender: BenchSocket; deliveries: number };

/** Runs closed loops for a while: each sends its next message when the last one is acked and has arrived everywhere. */
async function closedLoops(target: Target, loops: Loop[], receivers: BenchSocket[], ms: number): Promise<Slice> {
  const slice: Slice = {
    seconds: 0,
    messages: 0,
    deliveries: 0,
    latencies: [],
    ackLatencies: [],
    cpu: 0,
  };
  const flying = new Map<string, { at: number; left: number; landed: () => void }>();
  const land = (text: string, at: number) => {
    const message = flying.get(text);
    if (!message) return;
    slice.latencies.push(at - message.at);
    slice.deliveries += 1;
    if (--message.left === 0) message.landed();
  };
  for (const receiver of receivers) receiver.onMessage = land;
  const startedAt = performance.now();
  const run = async ({ conversationId, sender, deliveries }: Loop, name: number) => {
    for (let n = 0; performance.now() - startedAt < ms; n++) {
      const text = `${name}.${n} ${TEXT}`;
      const landed = new Promise<void>((resolve) =>
        flying.set(text, { at: performance.now(), left: deliveries, landed: resolve }),
      );
      const [ackMs] = await Promise.all([sender.send(conversationId, text), landed]);
      flying.delete(text);
      slice.ackLatencies.push(ackMs);
      slice.messages += 1;
    }
  };
  const watch = lossWatch(() => Math.min(...[...flying.values()].map((message) => message.at)));
  slice.cpu = await cpuDuring(target.server, () =>
    Promise.race([Promise.all(loops.map(run)).then(() => {}), watch.lost]),
  );
  watch.stop();
  slice.seconds = (performance.now() - startedAt) / 1_000;
  return slice;
}

/** A message that does not land ends the run: this load repairs nothing, so it would wait for ever. `oldest`: when it was sent. */
function lossWatch(oldest: () => number): { lost: Promise<void>; stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<void>((_, reject) => {
    timer = setInterval(() => {
      if (performance.now() - oldest() > LOST_AFTER_MS)
        reject(new Error(`a message did not arrive in ${LOST_AFTER_MS} ms`));
    }, 1_000);
  });
  return { lost, stop: () => clearInterval(timer) };
}

/** (a) Fifty pairs, one message in flight each. */
export const PAIRS = 50;
export async function pairs(target: Target, ms: number): Promise<Slice> {
  const { people, conversations } = target.cast;
  const loops = conversations.map((conversationId, i) => ({
    conversationId,
    sender: at(people, 2 * i).socket,
    deliveries: 1,
  }));
  return closedLoops(
    target,
    loops,
    conversations.map((_, i) => at(people, 2 * i + 1).socket),
    ms,
  );
}

/** (b) One group of a hundred, all online; ten of them talk, one message in flight each. A message is delivered to 99. */
const SPEAKERS = 10;
export async function group(target: Target, ms: number): Promise<Slice> {
  const { people, groupId } = target.cast;
  const deliveries = people.length - 1;
  const loops = people
    .slice(0, SPEAKERS)
    .map(({ socket }) => ({ conversationId: groupId, sender: socket, deliveries }));
  return closedLoops(
    target,
    loops,
    people.map((person) => person.socket),
    ms,
  );
}

/** (c) A device that was away for a thousand messages: from its hello until it holds them all and was told so. Milliseconds. */
export const AWAY = 1_000;
export async function catchUp(target: Target): Promise<number> {
  const { conversationId, held, cursor, token } = target.away;
  const socket = await target.open(token);
  const startedAt = performance.now();
  await socket.hello(cursor);
  let have = held;
  for (let head = held + AWAY; have < head; ) {
    const page = await socket.pull(conversationId, have);
    if (page.events.length === 0) throw new Error(`nothing after ${have}`);
    have = page.events.at(-1)?.seq ?? have;
    head = page.head;
  }
  const ms = performance.now() - startedAt;
  socket.close();
  return ms;
}

/** (d) A thousand devices that lost their sockets come back at once: until the last one is open and caught up. The hundred people of the
 *  group are among them, who have conversations; the rest have none. */
export const CROWD = 1_000;
export type Storm = { ms: number; cpu: number };
export async function storm(target: Target): Promise<Storm> {
  const sockets: BenchSocket[] = [];
  const startedAt = performance.now();
  const cpu = await cpuDuring(target.server, async () => {
    await Promise.all(
      target.crowd.map(async ({ token, cursor }) => {
        const socket = await target.open(token);
        sockets.push(socket);
        await socket.hello(cursor);
      }),
    );
  });
  const ms = performance.now() - startedAt;
  for (const socket of sockets) socket.close();
  return { ms, cpu };
}

function at<T>(list: readonly T[], i: number): T {
  const one = list[i];
  if (one === undefined) throw new Error(`no ${i}th of ${list.length}`);
  return one;
}
