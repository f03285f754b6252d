import type { MediaContent } from "../src/protocol/events.ts";
import type { MediaId } from "../src/protocol/ids.ts";
import { kindOf } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import { h } from "./dom.ts";

/** A place that is about to end is asked for anew. Ms. */
const EARLY_MS = 60_000;
/** When to ask again for a place that could not be had. Ms. */
const AGAIN_MS = 10_000;
/** Pictures are shown no wider than this. CSS pixels. */
const WIDEST = 420;

type Place = { url: string; expiresAt: number };

/** [MD-16] Shows the media of messages; asks where it lies only when it comes into sight. */
export class MediaView {
  readonly #tokens: Tokens;
  readonly #places = new Map<MediaId, Place>();
  /** Media is of one message: its element is kept while the row around it is drawn anew, with what plays in it. */
  readonly #elements = new Map<MediaId, HTMLElement>();
  /** What is not filled yet; answers whether it could be. */
  readonly #fill = new Map<Element, () => Promise<boolean>>();
  readonly #sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) void this.#seen(target);
  });

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  element(media: MediaContent): HTMLElement {
    const known = this.#elements.get(media.mediaId);
    if (known) return known;
    const element = h("div", { class: `media ${kindOf(media.contentType)}` });
    const { body, fill } = this.#bodyOf(media);
    element.append(body);
    this.#elements.set(media.mediaId, element);
    this.#fill.set(element, async () => {
      const place = await this.#place(media.mediaId);
      if (place) fill(place.url);
      return place !== null;
    });
    this.#sight.observe(element);
    return element;
  }

  /** Another conversation is open. */
  forget(): void {
    this.#sight.disconnect();
    this.#fill.clear();
    this.#elements.clear();
  }

  async #seen(element: Element): Promise<void> {
    this.#sight.unobserve(element);
    const fill = this.#fill.get(element);
    this.#fill.delete(element);
    if (!fill || (await fill()) || !element.isConnected) return;
    this.#fill.set(element, fill);
    setTimeout(() => this.#sight.observe(element), AGAIN_MS);
  }

  async #place(mediaId: MediaId, anew = false): Promise<Place | null> {
    const known = this.#places.get(mediaId);
    if (known && !anew && known.expiresAt - Date.now() > EARLY_MS) return known;
    const answer = await this.#tokens.call("media", { params: { mediaId }, query: { as: "url" } });
    if (!answer.ok || !answer.value) return null;
    const { url, expiresAt } = answer.value;
    const place = { url, expiresAt: expiresAt - answer.serverTime + Date.now() };
    this.#places.set(mediaId, place);
    return place;
  }

  #bodyOf(media: MediaContent): { body: HTMLElement; fill: (url: string) => void } {
    const kind = kindOf(media.contentType);
    if (kind === "audio" || kind === "video") return this.#player(media, kind);
    return this.#link(media, kind === "image" ? picture(media) : null);
  }

  #player({ mediaId }: MediaContent, kind: "audio" | "video"): { body: HTMLElement; fill: (url: string) => void } {
    const player = h(kind, { controls: true, preload: "metadata" });
    let tries = 0;
    player.onerror = async () => {
      const place = tries++ === 0 ? await this.#place(mediaId, true) : null; // it played past the end of its place
      if (place) player.src = place.url;
    };
    const fill = (url: string) => {
      player.src = url;
    };
    return { body: player, fill };
  }

  /** Leads to the whole file, with a place that is good when it is followed. */
  #link(media: MediaContent, image: HTMLImageElement | null) {
    const label = image ? [image] : [media.name ?? "File", h("small", {}, sizeText(media.bytes))];
    const link = h("a", { target: "_blank", rel: "noopener noreferrer" }, ...label);
    link.onclick = (event) => {
      const place = this.#places.get(media.mediaId);
      if (place && place.expiresAt - Date.now() > EARLY_MS) return;
      event.preventDefault();
      void this.#place(media.mediaId).then((fresh) => fresh && open(fresh.url, "_blank", "noopener,noreferrer"));
    };
    const fill = (url: string) => {
      link.href = url;
      if (image) image.src = url;
    };
    return { body: link, fill };
  }
}

/** The small one at first, in the size of the whole one, so that nothing moves when that comes. */
function picture({ width, height, thumbnail, caption, name }: MediaContent): HTMLImageElement {
  const image = h("img", { alt: caption ?? name ?? "Photo" });
  if (width && height) {
    image.width = Math.min(width, WIDEST);
    image.height = Math.round((image.width * height) / width);
  }
  if (thumbnail) image.src = `data:image/jpeg;base64,${thumbnail}`;
  return image;
}

function sizeText(bytes: number): string {
  if (bytes < 1_000) return ` ${bytes} bytes`;
  return bytes < 1_000_000 ? ` ${Math.round(bytes / 1_000)} KB` : ` ${(bytes / 1_000_000).toFixed(1)} MB`;
}
