import type * as z from "zod";
import { ClientFrame, ServerFrame } from "../frames.ts";

type Asked = { summary: string; answer: ServerFrame["type"] | null };

/** What a client frame asks, and the frame that answers it (`error` may come instead of any). A frame without an entry does not compile. */
export const CLIENT_FRAMES: Readonly<Record<ClientFrame["type"], Asked>> = {
  hello: {
    summary: "The first frame. What changed past the cursor follows the welcome in `changed` frames, then `caught_up`.",
    answer: "welcome",
  },
  send: { summary: "Append a wish to a conversation. Acked means durable.", answer: "ack" },
  pull: { summary: "Read a conversation's log past a seq.", answer: "page" },
  receipt: { summary: "The highest seq delivered to this device, and read by its user.", answer: null },
  cursor: { summary: "Everything up to this cursor is safely stored on this device.", answer: null },
  typing: {
    summary: "The person is writing there, or has stopped. Told to those who look; never stored.",
    answer: null,
  },
  watch: {
    summary: "Whose presence this device shows just now. Changes follow as `presence` frames.",
    answer: "presence",
  },
};

export const SERVER_FRAMES: Readonly<Record<ServerFrame["type"], string>> = {
  welcome: "The socket is open for business. `reset`: the cursor could not be resumed, everything follows anew.",
  ack: "The wish is in the log, durably, with this seq.",
  page: "The events past `after`, in seq order, none missing between.",
  events: "Live events in seq order. A client that sees a gap pulls.",
  changed: "Conversations that hold what this device may lack: pull from the seq it has.",
  caught_up:
    "Adopt this cursor once everything sent before it, pulls included, is stored; send it in the next `hello`.",
  receipts: "How far members have received and read.",
  typing: "Somebody writes there, or has stopped.",
  presence: "Who of those watched is online: the answer to `watch`, and again when it changes.",
  self: "What another of my devices changed: what is read, muted, pinned or archived, and my profile.",
  degraded: "What the server leaves out just now because it is overloaded; empty: nothing any more. Never messages.",
  error: "A refusal. With an `id` it is the answer to that frame.",
};

/** The frames of a union by their `type`. */
function byType<O extends z.ZodObject<{ type: z.ZodLiteral<string> }>>(options: readonly O[]): [string, O][] {
  return options.map((option) => [option.shape.type.value, option]);
}
export const clientFrames = byType(ClientFrame.options) as [ClientFrame["type"], z.ZodObject][];
export const serverFrames = byType(ServerFrame.options) as [ServerFrame["type"], z.ZodObject][];
