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

/** Parts of a file of so many bytes. */
export const partCountOf = (bytes: number): number => Math.ceil(bytes / LIMITS.partBytes);

/** Where a part lies in its file: bytes `from` to `to`, without the last. */
export const partOf = (bytes: number, part: number): { from: number; to: number } => ({
  from: (part - 1) * LIMITS.partBytes,
  to: Math.min(part * LIMITS.partBytes, bytes),
});

/** [MD-18] What is too large for one request comes in parts, and in as many as it has. */
export function decideFile({
  contentType,
  bytes,
  parts,
}: {
  contentType: string;
  bytes: number;
  parts?: readonly string[] | undefined;
}): Result<null, "media_too_large" | "invalid_request"> {
  const sized = decideSize(contentType, bytes);
  if (!sized.ok) return sized;
  if (!parts && bytes > LIMITS.putBytes)
    return refuse("media_too_large", `in one request: at most ${LIMITS.putBytes} bytes`);
  if (parts && parts.length !== partCountOf(bytes))
    return refuse("invalid_request", `parts: ${partCountOf(bytes)} are wanted`);
  return ok(null);
}

/** The parts of which nobody has told that they are there, in order. */
export const missingParts = (count: number, there: ReadonlyMap<number, unknown>): number[] =>
  Array.from({ length: count }, (_, i) => i + 1).filter((part) => !there.has(part));

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

/** In the place of a conversation: uploaded by somebody to be their own picture. [PF-1] */
export const OF_A_PERSON = "";

/** What is known of media that a wish names; undefined: nothing is. */
export type KnownMedia = {
  userId: UserId;
  conversationId: ConversationId | typeof OF_A_PERSON;
  contentType: string;
  bytes: number;
};

type Wanting = { userId: UserId; conversationId: ConversationId };

/** Why nothing that this user makes of it in this conversation can show it; null: something may. Strangers' media is like none. */
function foreignness(known: KnownMedia | undefined, { userId, conversationId }: Wanting): string | null {
  if (!known || known.userId !== userId) return "unknown";
  return known.conversationId === conversationId ? null : "made for another conversation";
}

const isPicture = (contentType: string): boolean =>
  kindOf(contentType) === "image" && dispositionOf(contentType) === "inline";

/** [GR-11] Why it cannot be this group's picture; null: it can. What is only saved is nothing to look at. [MD-7] */
export function unfitAsAvatar(known: KnownMedia | undefined, wanting: Wanting): string | null {
  const foreign = foreignness(known, wanting);
  if (foreign !== null || !known) return foreign ?? "unknown";
  return isPicture(known.contentType) ? null : "not a picture that is shown";
}

/** [PF-1] A person's own picture is one that browsers show, and small. */
export function decidePicture({
  contentType,
  bytes,
}: {
  contentType: string;
  bytes: number;
}): Result<null, "media_too_large" | "invalid_request"> {
  if (!isPicture(contentType)) return refuse("invalid_request", "contentType: not a picture that is shown");
  if (bytes > LIMITS.avatarBytes)
    return refuse("media_too_large", `a picture of mine: at most ${LIMITS.avatarBytes} bytes`);
  return ok(null);
}

/** [PF-2] Why it cannot be this person's picture; null: it can, if nothing else has it. What was looked at as it was made is not looked at again. */
export function unfitAsPicture(known: KnownMedia | undefined, userId: UserId): string | null {
  if (!known || known.userId !== userId) return "unknown";
  return known.conversationId === OF_A_PERSON ? null : "made for a conversation";
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
