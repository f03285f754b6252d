import type { ConversationId, IdempotencyKey } from "../../protocol/ids.ts";
import type { Happening } from "../happenings.ts";
import type { Proof } from "./api.ts";
import type { Conversation, ErrorCode, Profile } from "./wire.ts";

/** What a tab asks of the one that leads; plain data, so that it can be said to another tab, and said again. */
export type Command =
  | { readonly do: "tell"; readonly happening: Said }
  | { readonly do: "know"; readonly conversation?: Conversation; readonly profiles?: readonly Profile[] }
  | { readonly do: "enter"; readonly door: "signUp" | "signIn" | "exchange"; readonly body: object }
  | { readonly do: "sign_out" }
  | { readonly do: "erase"; readonly proof: Proof }
  /** Brings the contacts up to date. */
  | { readonly do: "contacts" }
  | { readonly do: "star"; readonly conversationId: ConversationId; readonly seq: number; readonly starred: boolean }
  /** Hang up if nobody looks. */
  | { readonly do: "rest" }
  | { readonly do: "older"; readonly conversationId: ConversationId }
  /** What a tab's screen shows: whether somebody looks, and whose presence. Repeated, so that a tab that died is forgotten. */
  | { readonly do: "show"; readonly visible: boolean; readonly userIds: readonly string[] }
  | { readonly do: "gone" }
  /** Nothing but what is done after everything: to be on the disk. */
  | { readonly do: "flush" }
  | { readonly do: "connect" | "disconnect" }
  /** The server takes this device's tokens no more. */
  | { readonly do: "over" };
export type Said = Extract<Happening, { type: "wish" | "discarded" | "read" | "typing" | "set" | "older" }>;

/** How wishes end, told in every tab. */
export type Ended = { readonly wishId: IdempotencyKey; readonly conversationId: ConversationId } & (
  | { readonly seq: number }
  | { readonly code: ErrorCode }
);
