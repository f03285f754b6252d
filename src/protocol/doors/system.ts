import * as z from "zod";
import { ExportAfter, ExportLine } from "../export.ts";
import { EpochMs, UserId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { Erasure } from "./answers.ts";
import { door } from "./door.ts";
import { pushKeyOf } from "./fields.ts";

/** A page of users, and the conversations that were asked. */
const Walked = z.object({ users: z.int(), conversations: z.int(), cursor: UserId.optional() });

/** Push, health, and what the operator may ask. */
export const systemDoors = {
  pushKey: door({
    method: "get",
    path: "/v1/push/key",
    summary: "The server's VAPID public key: the `applicationServerKey` of a browser's subscription",
    access: "device",
    answers: { 200: z.object({ publicKey: z.string() }) },
    refusals: ["push_not_offered"],
  }),
  subscribePush: door({
    method: "put",
    path: "/v1/push/subscription",
    summary:
      "Where to push for this device while it is not connected: a Web Push subscription, or an FCM registration token",
    access: "device",
    body: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          .max(LIMITS.endpointLength)
          .optional(),
        expirationTime: z.number().nullable().optional().meta({ description: "As browsers give it; not used." }),
        keys: z.strictObject({ p256dh: pushKeyOf(65), auth: pushKeyOf(16) }).optional(),
        fcmToken: z.string().min(1).max(LIMITS.endpointLength).optional(),
        preview: z
          .boolean()
          .default(true)
          .meta({ description: "Whether the push may carry the sender's name and the text." }),
      })
      .refine((s) => (s.fcmToken === undefined) === (s.endpoint !== undefined && s.keys !== undefined), {
        message: "either endpoint and keys, or fcmToken",
      }),
    answers: { 204: null },
    refusals: ["push_not_offered", "device_revoked"],
  }),
  unsubscribePush: door({
    method: "delete",
    path: "/v1/push/subscription",
    summary: "Do not push for this device any more",
    access: "device",
    answers: { 204: null },
    refusals: [],
  }),
  health: door({
    method: "get",
    path: "/healthz",
    summary: "Whether the Worker answers",
    access: "anyone",
    answers: { 200: z.object({ status: z.literal("ok") }) },
    refusals: [],
  }),
  rebuildHistory: door({
    method: "post",
    path: "/v1/operator/history/rebuild",
    summary:
      "Ship the logs of a page of users' conversations to history anew; call again with the cursor until there is none",
    access: "operator",
    body: z.strictObject({ startedAt: EpochMs, cursor: UserId.optional() }),
    answers: { 200: Walked },
    refusals: [],
  }),
  applyRetention: door({
    method: "post",
    path: "/v1/operator/retention",
    summary:
      "Have a page of users' conversations look at the deployer's time for messages, also those that nobody wakes; call again with the cursor until there is none",
    access: "operator",
    body: z.strictObject({ cursor: UserId.optional() }),
    answers: { 200: Walked },
    refusals: [],
  }),
  exportUser: door({
    method: "get",
    path: "/v1/operator/users/{userId}/export",
    summary: "All of a person's, as they would get it themselves",
    access: "operator",
    params: z.strictObject({ userId: UserId }),
    query: z.strictObject({ after: ExportAfter.optional() }),
    answers: { 200: ExportLine },
    mediaType: "application/x-ndjson",
    refusals: ["not_found", "rate_limited"],
  }),
  eraseUser: door({
    method: "delete",
    path: "/v1/operator/users/{userId}",
    summary: "Erase a person; repeating it is harmless",
    access: "operator",
    params: z.strictObject({ userId: UserId }),
    answers: { 202: Erasure },
    refusals: ["not_found"],
  }),
  erasure: door({
    method: "get",
    path: "/v1/operator/erasures/{userId}",
    summary: "How far a person's erasure is, what it took away, and what its last re-scan found",
    access: "operator",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: Erasure },
    refusals: ["not_found"],
  }),
  erasures: door({
    method: "get",
    path: "/v1/operator/erasures",
    summary: "The erasures under way, in the order of the users' ids",
    access: "operator",
    query: z.strictObject({ cursor: UserId.optional() }),
    answers: { 200: z.object({ erasures: z.array(Erasure), cursor: UserId.optional() }) },
    refusals: [],
  }),
} as const;
