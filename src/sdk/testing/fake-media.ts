import type { MediaId, UserId } from "../../protocol/ids.ts";
import { refuse } from "../../protocol/result.ts";
import type { ErrorCode, MediaPlace } from "../client/wire.ts";
import { type Ask, ok, profileFor, type Table } from "./fake-ask.ts";

type File = { readonly userId: UserId; bytes: ArrayBuffer | null };
/** How long a place is good. Ms. */
const PLACE_MS = 900_000;
const BUCKET = "/bucket/";

/** Pictures of people: what was uploaded, by whom. Media of messages is not here. */
export class FakeMedia {
  readonly #files = new Map<MediaId, File>();

  make(mediaId: MediaId, userId: UserId): void {
    this.#files.set(mediaId, { userId, bytes: null });
  }
  isUploadedBy(mediaId: MediaId, userId: UserId): boolean {
    const file = this.#files.get(mediaId);
    return file?.userId === userId && file.bytes !== null;
  }
  makerOf = (mediaId: MediaId): UserId | undefined => this.#files.get(mediaId)?.userId;
  drop(mediaId: MediaId): void {
    this.#files.delete(mediaId);
  }

  /** The bucket's own requests; null: this is none. */
  answer(path: string, { method = "GET", body }: RequestInit): Response | null {
    if (!path.startsWith(BUCKET)) return null;
    const file = this.#files.get(path.slice(BUCKET.length) as MediaId);
    if (!file) return new Response(null, { status: 404 });
    if (method === "PUT") file.bytes = body as ArrayBuffer;
    return new Response(method === "PUT" ? null : file.bytes);
  }
}

const placeOf = ({ server, now }: Ask, mediaId: MediaId): MediaPlace => {
  return { url: `${server.url}${BUCKET}${mediaId}`, expiresAt: now + PLACE_MS };
};

export const MEDIA_DOORS: Table = {
  newMedia(ask) {
    const { server, device, body } = ask;
    if (body.for !== "me") return refuse<ErrorCode>("unavailable");
    const mediaId = server.people.newId() as MediaId;
    server.media.make(mediaId, device.userId);
    return ok({ mediaId, upload: { method: "PUT", headers: {}, ...placeOf(ask, mediaId) } });
  },
  media(ask) {
    const { server, device } = ask;
    const mediaId = ask.params.mediaId as MediaId;
    const maker = server.people.people.get(server.media.makerOf(mediaId) as UserId);
    if (!maker) return refuse("not_found");
    const isSeen = maker.userId === device.userId || profileFor(ask, maker).avatarMediaId === mediaId;
    return isSeen ? ok(placeOf(ask, mediaId)) : refuse("not_found");
  },
};
