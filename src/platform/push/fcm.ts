import * as z from "zod";
import { answerTo, type PushAnswer } from "../../domain/push-answer.ts";
import { fcmBody } from "../../domain/push-fcm.ts";
import type { Env } from "../env.ts";
import { post } from "./post.ts";
import type { PushProvider } from "./provider.ts";
import { accessTokenOf, forgetAccessToken, parsed, type ServiceAccount } from "./service-account.ts";

/** Firebase Cloud Messaging, HTTP v1: to Android itself, and to Apple's phones on behalf of APNs. */
export const fcmProvider = (
  env: Pick<Env, "FCM_URL">,
  account: ServiceAccount,
  timeoutMs?: number,
): PushProvider<"fcm"> => ({
  async send({ token }, push) {
    const access = await accessTokenOf(account, Date.now());
    if (!access.ok) return { is: "retry", answer: access.code };
    const headers = { authorization: `Bearer ${access.value}`, "content-type": "application/json" };
    const url = `${env.FCM_URL}/v1/projects/${account.project_id}/messages:send`;
    const posted = await post(url, headers, fcmBody(token, push), timeoutMs);
    if (!("failed" in posted) && posted.status === 401) forgetAccessToken(access.value); // [PU-26]
    return heard(posted);
  },
});

/** google.rpc.Status with FCM's own code among the details. */
const Failure = z.object({
  error: z.object({ details: z.array(z.object({ errorCode: z.string().optional() })).optional() }),
});

/**
 * [PU-28] Only what names the token makes it gone: a 404 may also be the project's, and every device would lose its endpoint to a typing
 * error. A token that is none at all is a 400, like a message that does not fit.
 */
function heard(posted: Awaited<ReturnType<typeof post>>): PushAnswer {
  if ("failed" in posted) return { is: "retry", answer: posted.failed };
  const { status, headers, text } = posted;
  if (status === 401) return { is: "retry", answer: "401" };
  const details = Failure.safeParse(parsed(text)).data?.error.details ?? [];
  const isGone = details.some(({ errorCode }) => errorCode === "UNREGISTERED");
  return isGone ? { is: "gone", answer: String(status) } : answerTo(status, headers.get("retry-after"), Date.now());
}
