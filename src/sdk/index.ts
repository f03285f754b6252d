/**
 * The core of a client, for whoever builds another shell around it: a `Replica` wants a socket, a clock and a disk, and `client/leader.ts` is
 * what gives it those. What apps import is `client/index.ts` and `drawing.ts`.
 */

export { forwarded } from "../domain/life.ts";
export { decideSize, kindOf, lineOf } from "../domain/media.ts";
export { isReadable, type Line, laterThan, type Reaction, timelineOf, wordsOf } from "./fold.ts";
export type { Effects, Happening, MintRequest, NewKey, Outcome } from "./happenings.ts";
export { KeyMint } from "./keys.ts";
export { type Live, NOTHING_LIVE } from "./live.ts";
export { type AfterClose, afterClose } from "./reconnect.ts";
export { Replica } from "./replica.ts";
export { applyChange, type Change, conversationIds, heldOf, type Marks, NOTHING_STORED } from "./state.ts";
export { Entry, Held, ReplicaState } from "./stored.ts";
export { uploadMedia } from "./upload.ts";
export type { PartPorts, UploadPause, UploadPorts, UploadToken } from "./upload-ports.ts";
export { levelsOf, waveformOf } from "./waveform.ts";
