import type { Content, MediaContent, Wish } from "../protocol/events.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Result, refuse } from "../protocol/result.ts";

export type MediaKind = "image" | "audio" | "video" | "file";

export function kindOf(contentType: string): MediaKind {
  const [kind] = contentType.split("/");
  return kind === "image" || kind === "audio" || kind === "video" ? kind : "file";
}

const MOST: Record<MediaKind, number> = {
  image: LIMITS.imageBytes,
  audio: LIMITS.audioBytes,
  video: LIMITS.videoBytes,
  file: LIMITS.fileBytes,
};

/** [MD-2] Each kind has its size. */
export function decideSize(contentType: string, bytes: number): Result<null, "media_too_large"> {
  const kind = kindOf(contentType);
  return bytes <= MOST[kind] ? ok(null) : refuse("media_too_large", `${kind}: at most ${MOST[kind]} bytes`);
}

/** What browsers show and never run. An SVG is not among these: it may hold a script. */
const SHOWN = new Set([
  "image/jpeg",
  "image/png",
  "image/gif",
  "image/webp",
  "image/avif",
  "audio/mpeg",
  "audio/mp4",
  "audio/aac",
  "audio/ogg",
  "audio/wav",
  "audio/webm",
  "video/mp4",
  "video/webm",
  "video/quicktime",
]);

/** [MD-7] What a browser might run, it saves instead. */
export const dispositionOf = (contentType: string): "inline" | "attachment" =>
  SHOWN.has(contentType) ? "inline" : "attachment";

const LABEL: Record<MediaKind, string> = { image: "Photo", audio: "Voice message", video: "Video", file: "File" };

/** [MD-14] A message in one line of text: where there is no room to show it. */
export function lineOf(content: Content): string {
  if (content.type === "text") return content.text;
  const { contentType, name, caption } = content;
  const kind = kindOf(contentType);
  const label = kind === "file" && name !== undefined ? name : LABEL[kind];
  return caption === undefined ? label : `${label}: ${caption}`;
}

/** The media that this wish would make a message of. */
export function mediaOf(wish: Wish): MediaContent | undefined {
  return wish.kind === "message" && wish.content.type === "media" ? wish.content : undefined;
}

/** What is known of media that a wish names; undefined: nothing is. */
export type KnownMedia = { userId: UserId; conversationId: ConversationId; contentType: string; bytes: number };

type Wanting = { userId: UserId; conversationId: ConversationId };

/** Why nothing that this user makes of it in this conversation can show it; null: something may. Strangers' media is like none. */
function foreignness(known: KnownMedia | undefined, { userId, conversationId }: Wanting): string | null {
  if (!known || known.userId !== userId) return "unknown";
  return known.conversationId === conversationId ? null : "made for another conversation";
}

/** [GR-11] Why it cannot be this group's picture; null: it can. What is only saved is nothing to look at. [MD-7] */
export function unfitAsAvatar(known: KnownMedia | undefined, wanting: Wanting): string | null {
  const foreign = foreignness(known, wanting);
  if (foreign !== null || !known) return foreign ?? "unknown";
  const isPicture = kindOf(known.contentType) === "image" && dispositionOf(known.contentType) === "inline";
  return isPicture ? null : "not a picture that is shown";
}

/** [MD-8] Why this user's message to this conversation cannot show it; null: it can. */
export function unfitness(
  known: KnownMedia | undefined,
  { media, ...wanting }: Wanting & { media: MediaContent },
): string | null {
  const foreign = foreignness(known, wanting);
  if (foreign !== null || !known) return foreign ?? "unknown";
  return known.contentType === media.contentType && known.bytes === media.bytes ? null : "of another type or size";
}
