import type { Endpoint, PushJob, PushReport } from "../../domain/push.ts";
import { type PushAnswer, retryDelaySeconds } from "../../domain/push-answer.ts";
import { type Push, pushOf } from "../../domain/push-payload.ts";
import type { UserId } from "../../protocol/ids.ts";
import { namesOf } from "../../storage/directory.ts";
import { erasedAmong } from "../../storage/erasures.ts";
import { mapWindowed, tryCall } from "../calls.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { conversationOf, inboxOf } from "../stubs.ts";
import { fcmProvider } from "./fcm.ts";
import { serviceAccountOf } from "./service-account.ts";
import { vapidOf } from "./vapid.ts";
import { webProvider } from "./web.ts";

type Queued = Message<PushJob>;
type Carried = { job: PushJob; answer: string };
type Names = ReadonlyMap<UserId, { displayName: string }>;

/** Pushes under way from one batch: the runtime lets an invocation wait for the answers of six requests at a time. */
const WINDOW = 6;

/** Takes pushes out of the queue. Each is settled by itself: one that has to be tried again takes none of the others with it. */
export async function carryPushes(batch: MessageBatch<PushJob>, env: Env): Promise<void> {
  if (batch.queue.endsWith("-dead")) return giveUp(batch, env);
  const messages = await withoutErased(batch.messages, env);
  const names = await namesFor(messages, env);
  const send = senderOf(env);
  const lanes = lanesOf(messages);
  const carried = await mapWindowed(lanes, WINDOW, async (lane) => {
    const told: Carried[] = [];
    for (const message of lane) told.push(...(await carry(message, names, send, env)));
    return told;
  });
  await report(carried.flat(), env);
}

/** [ER-13] What was to ring somebody who is erased, or to tell what they wrote, is let go; while the directory is away nobody can tell. */
async function withoutErased(messages: readonly Queued[], env: Env): Promise<Queued[]> {
  const ids = new Set(messages.flatMap(({ body }) => [body.userId, body.preview?.senderId ?? []].flat()));
  const erased = await erasedAmong(env.DIRECTORY, [...ids]).catch((error) => {
    log.warn("push_erasures_unavailable", { error });
    return new Set<UserId>();
  });
  const isErased = ({ body }: Queued) =>
    erased.has(body.userId) || (body.preview !== undefined && erased.has(body.preview.senderId));
  for (const message of messages) if (isErased(message)) message.ack();
  return messages.filter((message) => !isErased(message));
}

/** [PU-35] What goes to one device about one conversation leaves one after the other, by seq: the later replaces the earlier. */
function lanesOf(messages: readonly Queued[]): Queued[][] {
  const lanes = Map.groupBy(messages, ({ body }) => `${body.deviceId} ${body.conversationId}`);
  return [...lanes.values()].map((lane) => lane.toSorted((a, b) => a.body.seq - b.body.seq));
}

/** Who wrote, for all that may tell it, in one query; nobody when the directory does not answer. */
async function namesFor(messages: readonly Queued[], env: Env): Promise<Names> {
  const ids = new Set(messages.flatMap(({ body }) => body.preview?.senderId ?? []));
  if (!tellsAll(env)) return new Map();
  return namesOf(env.DIRECTORY, [...ids]).catch((error) => {
    log.warn("push_names_unavailable", { error }); // [PU-32]
    return new Map();
  });
}

/** Anything but `full` tells nothing, as a slip of the pen should. */
const tellsAll = ({ PUSH_CONTENT }: Env): boolean => PUSH_CONTENT === "full"; // [PU-27]

/** Carries one push out and settles its message. Answers what should be told of it, if anything. */
async function carry(message: Queued, names: Names, send: Sender, env: Env): Promise<Carried[]> {
  const { body: job, attempts } = message;
  const outcome = await outcomeOf(job, names, send, env);
  if (outcome.is === "retry") {
    message.retry({ delaySeconds: retryDelaySeconds(attempts, outcome.retryAfterMs, Math.random()) });
    return attempts === 1 ? [{ job, answer: outcome.answer }] : []; // while a provider is away, not each try is told
  }
  message.ack();
  const { userId, deviceId, endpoint } = job;
  if (outcome.is === "gone") await tryCall(() => inboxOf(env, userId).endpointGone(deviceId, endpoint)); // [PU-28] if lost, the next push says it again
  return [{ job, answer: outcome.answer }];
}

async function outcomeOf(job: PushJob, names: Names, send: Sender, env: Env): Promise<PushAnswer> {
  const displayName = job.preview && names.get(job.preview.senderId)?.displayName;
  const push = pushOf(job, { isFull: tellsAll(env), displayName }, Date.now());
  if (!push) return { is: "refused", answer: "expired" }; // [PU-31]
  try {
    return await send(job.endpoint, push);
  } catch (error) {
    log.error("push_failed", { provider: job.endpoint.provider, kind: (error as Error).name });
    return { is: "refused", answer: "failed" };
  }
}

type Sender = (endpoint: Endpoint, push: Push) => Promise<PushAnswer>;

/** The providers that are configured, by what an endpoint asks for. */
function senderOf(env: Env): Sender {
  const [vapid, account] = [vapidOf(env), serviceAccountOf(env)];
  const [web, fcm] = [vapid && webProvider(env, vapid), account && fcmProvider(env, account)];
  const none = { is: "refused", answer: "not_configured" } as const;
  return async (endpoint, push) =>
    endpoint.provider === "web" ? (web?.send(endpoint, push) ?? none) : (fcm?.send(endpoint, push) ?? none);
}

/** [PU-34] What could not be delivered however often: told to the trace, so that somebody who asks learns why no phone rang. */
async function giveUp(batch: MessageBatch<PushJob>, env: Env): Promise<void> {
  for (const { body } of batch.messages) {
    const { userId, deviceId, conversationId, seq, endpoint } = body;
    log.error("push_given_up", { userId, deviceId, conversationId, seq, provider: endpoint.provider }); // [PU-41]
  }
  await report(
    batch.messages.map(({ body: job }) => ({ job, answer: "given_up" })),
    env,
  );
  batch.ackAll();
}

/** [PU-33] One call a conversation. A report that cannot be given is let go: it is no reason to push again. Nobody traces a `read`. */
async function report(carried: readonly Carried[], env: Env): Promise<void> {
  const rang = carried.filter(({ job }) => job.kind === "message");
  const byConversation = [...Map.groupBy(rang, ({ job }) => job.conversationId)];
  await mapWindowed(byConversation, WINDOW, ([id, told]) =>
    tryCall(() => conversationOf(env, id).pushed(told.map(reportOf))),
  );
}

const reportOf = ({ job, answer }: Carried): PushReport => ({
  userId: job.userId,
  seq: job.seq,
  at: Date.now(),
  provider: job.endpoint.provider,
  answer,
});
