import { OF_A_PERSON } from "../../domain/media.ts";
import type { MediaId } from "../../protocol/ids.ts";
import { TIMES } from "../../protocol/limits.ts";
import { claimOf, condemnMedia, keepMedia, type MediaRow, waitingMedia } from "../../storage/media.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../calls.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { conversationOf } from "../stubs.ts";
import { dropMedia } from "./media.ts";

/** Media of one step, and steps of one sweep. What is left over waits for the next one. */
const STEP = 100;
const STEPS = 20;

export type Swept = { dropped: number; kept: number; unsure: number };
type Waiting = Pick<MediaRow, "mediaId" | "conversationId" | "claim">;

/** [MD-11] Deletes what has waited to be shown for a day. Whether it is, the conversation says; of a person's picture, its claim. `now`: epoch ms. */
export async function sweepMedia(env: Env, now: number): Promise<Swept> {
  const swept = { dropped: 0, kept: 0, unsure: 0 };
  let after = "";
  for (let step = 0; step < STEPS; step++) {
    const rows = await waitingMedia(env.DIRECTORY, after, now - TIMES.mediaWaitsMs, STEP);
    const fates = await mapWindowed(rows, CALL_WINDOW, (row) => fateOf(env, row));
    const among = (fate: Fate): MediaId[] => rows.filter((_, i) => fates[i] === fate).map((row) => row.mediaId);
    await keepMedia(env.DIRECTORY, among("keep"));
    const condemned = await condemnMedia(env.DIRECTORY, among("drop"), now - TIMES.mediaWaitsMs);
    await dropMedia(env, condemned);
    swept.dropped += condemned.length;
    swept.kept += among("keep").length;
    swept.unsure += among("unsure").length;
    if (rows.length < STEP) break;
    after = rows.at(-1)?.mediaId ?? after;
  }
  if (swept.dropped + swept.unsure > 0) log.info("media_swept", swept);
  return swept;
}

type Fate = "keep" | "drop" | "unsure";
async function fateOf(env: Env, { mediaId, conversationId, claim: text }: Waiting): Promise<Fate> {
  const claim = text === null ? null : claimOf(text);
  if (!claim) return "drop";
  if (conversationId === OF_A_PERSON) return "keep"; // [PF-3] what is claimed is shown
  const answer = await tryCall(() => conversationOf(env, conversationId).showsMedia(mediaId, claim));
  if (!answer.ok) return "unsure";
  return answer.value ? "keep" : "drop";
}
