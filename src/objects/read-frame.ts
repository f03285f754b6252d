import * as z from "zod";
import { ClientFrame } from "../protocol/frames.ts";
import { LIMITS } from "../protocol/limits.ts";
import { type Ok, ok, type Refusal, refuse } from "../protocol/result.ts";

type Unreadable = Refusal<"invalid_request" | "payload_too_large"> & { id: number | undefined };

export type ReadFrame = Ok<ClientFrame> | Unreadable;

/** Parses what came off a socket, strictly. A refusal carries the frame's `id` where one can be told. [SO-7] */
export function readFrame(message: string | ArrayBuffer): ReadFrame {
  if (typeof message !== "string") return { ...refuse("invalid_request", "frames are text"), id: undefined };
  if (isTooLarge(message)) return { ...refuse("payload_too_large"), id: undefined };
  const json = parseJson(message);
  const frame = ClientFrame.safeParse(json);
  if (frame.success) return ok(frame.data);
  const issue = frame.error.issues[0];
  const where = issue?.path.join(".") || "frame";
  return { ...refuse("invalid_request", `${where}: ${issue?.code ?? "invalid"}`.slice(0, 200)), id: idOf(json) };
}

/** A UTF-16 code unit is at most three bytes of UTF-8. */
const isTooLarge = (text: string): boolean =>
  text.length > LIMITS.frameBytes ||
  (text.length * 3 > LIMITS.frameBytes && new TextEncoder().encode(text).byteLength > LIMITS.frameBytes);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const WithId = z.object({ id: z.int().min(0) });
const idOf = (json: unknown): number | undefined => WithId.safeParse(json).data?.id;
