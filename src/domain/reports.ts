import type { ReportWish } from "../protocol/http.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";
import { daysToMs } from "./life.ts";

/** What is kept where the deployer does not say for how long. Days. */
const KEPT_DAYS = "90";

/** How long reports are kept. Ms. */
export const reportsKeptMs = (days: string | undefined): number => daysToMs(days) || daysToMs(KEPT_DAYS);

/** [RP-3] Who is reported; null for a conversation, or messages of several people, as such. `authors`: of the messages. */
export function reportedBy(
  callerId: UserId,
  { userId }: ReportWish,
  authors: readonly UserId[],
): Result<UserId | null, "invalid_request"> {
  if (userId === callerId || authors.includes(callerId)) return refuse("invalid_request", "nobody reports themselves");
  if (userId !== undefined && authors.some((author) => author !== userId))
    return refuse("invalid_request", "seqs: not all are by this user");
  const [author, second] = authors;
  return ok(userId ?? (second === undefined ? (author ?? null) : null));
}
