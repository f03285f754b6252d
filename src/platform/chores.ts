import { encodeTime } from "ulid";
import { nameWords } from "../domain/people.ts";
import { reportsKeptMs } from "../domain/reports.ts";
import { giveWords, usersWithoutWords } from "../storage/people.ts";
import { deleteReportsBefore, deleteSettledOfErased } from "../storage/reports.ts";
import type { Env } from "./env.ts";
import { log } from "./log.ts";

/** Users of one step, and steps of one hour: what is left over waits for the next one. */
const STEP = 200;
const STEPS = 50;
/** Characters of a ULID that tell the time. */
const TIME_LENGTH = 10;

/** [RP-7] Deletes reports that are older than the deployer keeps them. `now`: epoch ms. */
export async function sweepReports(env: Env, now: number): Promise<number> {
  await deleteSettledOfErased(env.DIRECTORY);
  const swept = await deleteReportsBefore(
    env.DIRECTORY,
    encodeTime(now - reportsKeptMs(env.REPORTS_DAYS), TIME_LENGTH),
  );
  if (swept > 0) log.info("reports_swept", { swept });
  return swept;
}

/** [PE-8] Makes those findable by name who were here before people could be searched for. */
export async function indexNames(env: Env): Promise<number> {
  let indexed = 0;
  for (let step = 0; step < STEPS; step++) {
    const users = await usersWithoutWords(env.DIRECTORY, STEP);
    if (users.length === 0) break;
    await giveWords(
      env.DIRECTORY,
      users.map((user) => ({ ...user, words: nameWords(user.displayName) })),
    );
    indexed += users.length;
  }
  return indexed;
}
