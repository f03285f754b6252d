import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { expect, test } from "vitest";
import type { PushJob } from "../../src/domain/push.ts";
import type { Env } from "../../src/platform/env.ts";
import { carryPushes } from "../../src/platform/push/consumer.ts";
import { openErasure } from "../../src/storage/erasures.ts";
import { bindings } from "../objects/support.ts";
import { downDatabase } from "../routes/support/accounts.ts";
import { browser, jobFor, newUserId, providers, VAPID_KEYS } from "./push-support.ts";

/** Takes these out of the queue. Which endpoints were posted to, and whose index was acked. */
async function take(jobs: readonly PushJob[], changed: Partial<Env> = {}) {
  const asked = providers(() => new Response(null, { status: 201 }));
  const messages = jobs.map((body, i) => ({ id: String(i), timestamp: Date.now(), attempts: 1, body }));
  const batch = createMessageBatch("edgewise-push", messages);
  const env = { ...bindings, VAPID_KEYS, PUSH_CONTENT: "full", PUSH_CONTACT: "mailto:op@example.com", ...changed };
  await carryPushes(batch as MessageBatch<PushJob>, env);
  const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
  return { posted: asked.map(({ url }) => url).sort(), acked: explicitAcks.map(Number).sort() };
}

test("[ER-13] a queued push to somebody who is erased, or with what they wrote, is let go; all others go on their way", async () => {
  const [ann, bob, cara] = [newUserId(), newUserId(), newUserId()];
  await openErasure(bindings.DIRECTORY, { userId: ann, askedBy: "operator", begunAt: Date.now() });
  const to = (userId: typeof ann, senderId: typeof ann, path: string) =>
    jobFor(browser(path).endpoint, { userId, preview: { senderId, text: "words" } });
  const jobs = [
    to(ann, bob, "to-ann"),
    to(bob, ann, "from-ann"),
    to(bob, cara, "from-cara"),
    jobFor(browser("bare").endpoint),
  ];
  const { posted, acked } = await take(jobs);
  expect(posted.map((url) => url.split("/").at(-1))).toEqual(["bare", "from-cara"]);
  expect(acked).toEqual([0, 1, 2, 3]);
});

test("[ER-13] while the directory is away pushes go on", async () => {
  const { posted } = await take([jobFor(browser().endpoint)], { DIRECTORY: downDatabase() });
  expect(posted).toHaveLength(1);
});
