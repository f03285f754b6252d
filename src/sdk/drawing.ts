import * as media from "../domain/media.ts";
import type { FoldedLine, Held, ReplicaState } from "./client/api-state.ts";
import type { Event, MediaContent, MessageEvent, TextContent, Wish } from "./client/wire.ts";
import * as fold from "./fold.ts";
import * as state from "./state.ts";
import * as waveform from "./waveform.ts";

/**
 * `@edgewise/sdk/drawing`: for an app that draws from `client.state` by itself. Pure functions, the ones of which the SDK makes its own
 * snapshots. [CL-64]
 */

export type { About, DeviceState, Entry, FoldedLine, Held, Live, ReplicaState } from "./client/api-state.ts";

// An app's ids are strings, and only the SDK's inside tells them apart by type: here is where one becomes the other.

/** What is held of a conversation's log; of one that is not known here, nothing. */
export const heldOf = state.heldOf as unknown as (replica: ReplicaState, conversationId: string) => Held;

export const conversationIds = state.conversationIds as unknown as (replica: ReplicaState) => string[];

/** `wishes`: mine that are on their way; those about messages show as if they had come. `now`: epoch ms by the server's clock. */
type Looking = { readonly me: string; readonly wishes: readonly Wish[]; readonly now: number };
/** The lines of a conversation, oldest first: messages as last edited, with their reactions, and notes. */
export const timelineOf = fold.timelineOf as unknown as (events: readonly Event[], looking: Looking) => FoldedLine[];

/** Of what is `kept`, what is said of the messages of a window that lies before it (`past.events`). */
export const laterThan = fold.laterThan as unknown as (window: readonly Event[], kept: readonly Event[]) => Event[];

/** Whether a person who has not read it has something to read. `now`: epoch ms by the server's clock. */
export const isReadable = fold.isReadable as unknown as (event: Event, now: number) => event is MessageEvent;

/** The words of a line, where it has any. */
export const wordsOf = fold.wordsOf as unknown as (line: FoldedLine) => string | undefined;

/** A content in one line: its words or its caption; of media without one, what it is. */
export const lineOf = media.lineOf as unknown as (content: TextContent | MediaContent) => string;

/** As what a file of this content type is shown. */
export const kindOf: (contentType: string) => "image" | "audio" | "video" | "file" = media.kindOf;

/** Whether the server takes a file of this kind and size (bytes). */
export const fits = (contentType: string, bytes: number): boolean => media.decideSize(contentType, bytes).ok;

/** How loud a sound is from its beginning to its end, as a voice message carries it. `samples`: from -1 to 1, of one channel. */
export const waveformOf: (samples: Float32Array) => string = waveform.waveformOf;

/** The steps of a waveform, from 0 to 1; none where it cannot be read, for it comes from somebody else. */
export const levelsOf: (waveform: string) => number[] = waveform.levelsOf;
