import type { Lend } from "../doors.ts";
import type { MediaId } from "../wire.ts";

/** A place that is about to end is asked for anew. Ms. */
const EARLY_MS = 60_000;
type Place = { url: string; expiresAt: number };

/** [MD-16] Where media lies: asked for when it is needed, and again when the place has ended. */
export class Places {
  readonly #lend: Lend;
  readonly #aheadMs: () => number;
  readonly #known = new Map<MediaId, Place>();
  /** What is asked for just now: a face may stand in many places. */
  readonly #asked = new Map<MediaId, Promise<string | null>>();

  /** `aheadMs`: by how much the server's clock is ahead of this browser's. */
  constructor(lend: Lend, aheadMs: () => number) {
    this.#lend = lend;
    this.#aheadMs = aheadMs;
  }

  /** A URL that is good for a minute at least; undefined: none is known. */
  known(mediaId: MediaId): string | undefined {
    const place = this.#known.get(mediaId);
    return place && place.expiresAt - Date.now() > EARLY_MS ? place.url : undefined;
  }

  /** Null: it could not be had just now. `anew`: the one that is known does not work. */
  async find(mediaId: MediaId, anew = false): Promise<string | null> {
    const known = anew ? undefined : this.known(mediaId);
    if (known !== undefined) return known;
    const asked = this.#asked.get(mediaId) ?? this.#ask(mediaId).finally(() => this.#asked.delete(mediaId));
    this.#asked.set(mediaId, asked);
    return asked;
  }

  async #ask(mediaId: MediaId): Promise<string | null> {
    const answer = await this.#lend.call("media", { params: { mediaId }, query: { as: "url" } });
    if (!answer.ok || !answer.value) return null;
    const { url, expiresAt } = answer.value;
    this.#known.set(mediaId, { url, expiresAt: expiresAt - this.#aheadMs() });
    return url;
  }
}
