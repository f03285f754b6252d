import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { PushJob, PushReport } from "../../src/domain/push.ts";
import type { Env } from "../../src/platform/env.ts";
import { carryPushes } from "../../src/platform/push/consumer.ts";
import { downDatabase, signUp } from "../routes/support/accounts.ts";
import {
  type Answer,
  browser,
  jobFor,
  newConversationId,
  providers,
  serviceAccount,
  VAPID_KEYS,
} from "./push-support.ts";

const QUEUE = "edgewise-push";
const real = bindings as unknown as Env;

type Call = { to: string; method: string; args: unknown[] };
/** The wire between the consumer and the real objects: what went over it, and whether it is up. */
class Wire {
  readonly calls: Call[] = [];
  isUp = true;

  over<N extends "INBOXES" | "CONVERSATIONS">(name: N): Env[N] {
    const get = (to: string) =>
      new Proxy(
        {},
        {
          get:
            (_, method: string) =>
            (...args: unknown[]) =>
              this.#pass(name, { to, method, args }),
        },
      );
    return { getByName: get } as unknown as Env[N];
  }

  async #pass(name: "INBOXES" | "CONVERSATIONS", call: Call): Promise<unknown> {
    this.calls.push(call);
    if (!this.isUp) throw Object.assign(new Error("overloaded"), { overloaded: true });
    const object = real[name].getByName(call.to) as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    return object[call.method]?.(...call.args);
  }

  of(method: string): Call[] {
    return this.calls.filter((call) => call.method === method);
  }

  /** `seq provider answer` of all reports, by conversation. */
  reports(): Record<string, string[]> {
    return Object.fromEntries(
      this.of("pushed").map(({ to, args }) => [
        to,
        (args[0] as PushReport[]).map(({ seq, provider, answer }) => `${seq} ${provider} ${answer}`),
      ]),
    );
  }
}

type Taken = { wire: Wire; acked: number[]; retried: Record<number, number> };
/** Takes these out of the queue as one batch. Whose index was acked, and whose was put back for how many seconds. */
async function take(
  jobs: readonly PushJob[],
  { attempts = 1, queue = QUEUE, wire = new Wire(), env = {} as Partial<Env> } = {},
): Promise<Taken> {
  const messages = jobs.map((body, i) => ({ id: String(i), timestamp: Date.now(), attempts, body }));
  const batch = createMessageBatch(queue, messages);
  const waits = batch.messages.map((message) => vi.spyOn(message, "retry")); // the pool's result does not tell the delays
  const objects = { INBOXES: wire.over("INBOXES"), CONVERSATIONS: wire.over("CONVERSATIONS") };
  await carryPushes(batch, { ...real, VAPID_KEYS, ...objects, ...env });
  const result = await getQueueResult(batch, createExecutionContext());
  return {
    wire,
    acked: (result.ackAll ? messages.map(({ id }) => id) : result.explicitAcks).map(Number).toSorted(),
    retried: Object.fromEntries(
      result.retryMessages.map(({ msgId }) => [msgId, waits[Number(msgId)]?.mock.lastCall?.[0]?.delaySeconds ?? 0]),
    ),
  };
}

/** A push service that answers each endpoint by the status at the end of its URL. */
const byUrl: Answer = ({ url }) =>
  new Response("not for the log", { status: Number(url.slice(-3)), headers: { "retry-after": "600" } });
const created: Answer = () => new Response(null, { status: 201 });

afterEach(() => void vi.restoreAllMocks());

describe("taking pushes out of the queue", () => {
  test("[PU-29] [PU-30] each is settled by itself: taken, gone and refused ones leave, the others come back later", async () => {
    providers(byUrl);
    const statuses = ["201", "410", "429", "400", "500", "404"];
    const jobs = statuses.map((status) => jobFor(browser(status).endpoint));
    const { acked, retried, wire } = await take(jobs);
    expect(acked).toEqual([0, 1, 3, 5]);
    expect(Object.keys(retried)).toEqual(["2", "4"]);
    for (const delay of Object.values(retried)) expect(delay).toBe(600); // as the provider asks
    expect(Object.values(wire.reports()).flat().toSorted()).toEqual(
      statuses.map((status) => `1 web ${status}`).toSorted(),
    );
  });

  test("[PU-29] without a word from the provider the wait grows", async () => {
    providers(() => new Response(null, { status: 503 }));
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    const waits: (number | undefined)[] = [];
    for (const attempts of [1, 4, 8]) waits.push((await take([jobFor(browser().endpoint)], { attempts })).retried[0]);
    expect(waits).toEqual([5, 40, 640]);
  });

  test("[PU-28] an endpoint that is gone is taken off the device, and no other", async () => {
    providers(byUrl);
    const [gone, good] = [jobFor(browser("410").endpoint), jobFor(browser("201").endpoint)];
    const { wire } = await take([gone, good]);
    const { userId: to, deviceId, endpoint } = gone;
    expect(wire.of("endpointGone")).toEqual([{ to, method: "endpointGone", args: [deviceId, endpoint] }]);
  });

  test("[PU-35] what goes to one device about one conversation leaves one after the other, by seq", async () => {
    const conversationId = newConversationId();
    const { endpoint, receiver } = browser();
    const { userId, deviceId } = jobFor(endpoint);
    let underway = 0;
    const asked = providers(async () => {
      expect(++underway).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underway -= 1;
      return new Response(null, { status: 201 });
    });
    const jobs = [5, 3, 9, 4].map((seq) => jobFor(endpoint, { userId, deviceId, conversationId, seq }));
    const { wire } = await take(jobs);
    expect(asked.map(({ body }) => JSON.parse(receiver.open(body)).seq)).toEqual([3, 4, 5, 9]);
    expect(wire.reports()).toEqual({ [conversationId]: ["3 web 201", "4 web 201", "5 web 201", "9 web 201"] });
  });

  test("[PU-31] what nobody wants any more is not sent", async () => {
    const asked = providers(created);
    const { endpoint } = browser();
    const old = { decidedAt: Date.now() - 24 * 60 * 60_000 };
    const { acked, wire } = await take([
      jobFor(endpoint, old),
      jobFor(endpoint, { kind: "read", decidedAt: Date.now() - 60 * 60_000 }),
    ]);
    expect([asked.length, acked]).toEqual([0, [0, 1]]);
    expect(Object.values(wire.reports())).toEqual([["1 web expired"]]);
  });

  test("[PU-20] a provider that is not configured takes nothing", async () => {
    const asked = providers(created);
    const jobs = [jobFor(browser().endpoint), jobFor({ provider: "fcm", token: "t" })];
    const { acked, wire } = await take(jobs, { env: { VAPID_KEYS: "" } });
    expect([asked.length, acked]).toEqual([0, [0, 1]]);
    expect(Object.values(wire.reports()).toSorted()).toEqual([["1 fcm not_configured"], ["1 web not_configured"]]);
  });
});

describe("whose name a push tells", () => {
  test("[PU-32] the directory's, asked once a batch; while it is away pushes go without names", async () => {
    const { user } = await signUp();
    const { endpoint, receiver } = browser();
    const asked = providers(created);
    const jobs = [1, 2].map((seq) => jobFor(endpoint, { seq, preview: { senderId: user.userId, text: "Hi" } }));
    const prepare = vi.spyOn(real.DIRECTORY, "prepare");
    await take(jobs);
    const about = (table: string) => prepare.mock.calls.filter(([query]) => query.includes(table));
    expect([about("users").length, about("erasures").length, prepare.mock.calls.length]).toEqual([1, 1, 2]); // [ER-13]
    const { acked } = await take(jobs, { env: { DIRECTORY: downDatabase() } });
    expect(acked).toEqual([0, 1]);
    const told = asked.map(({ body }) => JSON.parse(receiver.open(body)));
    const sender = { userId: user.userId, displayName: user.displayName };
    expect(told.map((payload) => payload.sender)).toEqual([sender, sender, undefined, undefined]);
    expect(told.map((payload) => payload.text)).toEqual(["Hi", "Hi", "Hi", "Hi"]);
  });

  test("[PU-27] nobody's, and no text, where the deployer says none, or anything but full", async () => {
    const { user } = await signUp();
    const { endpoint, receiver } = browser();
    const asked = providers(created);
    const job = jobFor(endpoint, { preview: { senderId: user.userId, title: "Hiking", text: "Hi" } });
    for (const PUSH_CONTENT of ["none", "ful", ""]) await take([job], { env: { PUSH_CONTENT } });
    const { conversationId, seq, unread } = job;
    for (const { body } of asked)
      expect(JSON.parse(receiver.open(body))).toEqual({ type: "message", conversationId, seq, unread });
    expect(asked.length).toBe(3);
  });
});

describe("what the trace hears", () => {
  test("[PU-33] one call a conversation and batch, of what rings; while a provider is away not each try is told", async () => {
    providers(byUrl);
    const [one, two] = [newConversationId(), newConversationId()];
    const to = (status: string, conversationId = one, changed = {}) =>
      jobFor(browser(status).endpoint, { conversationId, ...changed });
    const { wire } = await take([to("201"), to("201", two), to("503"), to("201", one, { kind: "read" })]);
    expect(wire.reports()).toEqual({ [one]: ["1 web 201", "1 web 503"], [two]: ["1 web 201"] });
    expect(wire.of("pushed").length).toBe(2);
    expect((await take([to("503")], { attempts: 2 })).wire.of("pushed")).toEqual([]);
  });

  test("[PU-33] a conversation that cannot be told is no reason to push again", async () => {
    providers(created);
    const wire = new Wire();
    wire.isUp = false;
    expect(await take([jobFor(browser().endpoint)], { wire })).toMatchObject({ acked: [0], retried: {} });
  });

  test("[PU-34] what never got through is told as given up, and nothing is sent", async () => {
    const asked = providers(created);
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    const job = jobFor(browser().endpoint, { seq: 7 });
    const { wire, acked } = await take([job], { queue: `${QUEUE}-dead` });
    expect([asked.length, acked]).toEqual([0, [0]]);
    expect(wire.reports()).toEqual({ [job.conversationId]: ["7 web given_up"] });
    expect(told.mock.calls.flat().join()).toContain("push_given_up");
  });

  test("[PU-41] no endpoint, key, token, name or text is logged or reported, whatever goes wrong", async () => {
    const { account } = await serviceAccount();
    const said: unknown[] = [];
    for (const level of ["info", "warn", "error", "log"] as const)
      vi.spyOn(console, level).mockImplementation((...words) => void said.push(...words));
    providers((asked, init) =>
      asked.url.includes("oauth2") ? new Response("no", { status: 400 }) : byUrl(asked, init),
    );
    const preview = { senderId: jobFor(browser().endpoint).userId, title: "Hiking", text: "Saturday?" };
    const broken = { ...browser("201").endpoint, p256dh: "AAAA" };
    const web = ["410", "503", "400"].map((status) => jobFor(browser(status).endpoint, { preview }));
    const jobs = [...web, jobFor(broken, { preview }), jobFor({ provider: "fcm", token: "the-phone" }, { preview })];
    const env = { DIRECTORY: downDatabase(), FCM_SERVICE_ACCOUNT: JSON.stringify(account) };
    const { wire, acked } = await take(jobs, { env });
    expect(acked).toEqual([0, 2, 3]);
    await take(jobs, { env, queue: `${QUEUE}-dead` });
    const text = JSON.stringify([said, wire.of("pushed")]);
    expect(text).toContain("given_up");
    const secrets = jobs.flatMap(({ endpoint: e }) => (e.provider === "web" ? [e.url, e.p256dh, e.auth] : [e.token]));
    for (const secret of [...secrets, "Hiking", "Saturday", "not for the log", account.private_key.slice(40, 80)])
      expect(text).not.toContain(secret);
  });
});
