import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { heldOf, kindOf, timelineOf } from "../../src/sdk/drawing.ts";
import { blurOf } from "../blur.ts";
import { openId } from "../model/route.ts";
import { dialog } from "../model/shows.ts";
import { sizeText } from "../phrases.ts";
import type { MediaContent } from "../wire.ts";
import { plainName } from "../words.ts";
import { Icon } from "./Icon.tsx";
import { useSession } from "./session-context.ts";
import { VoiceNote } from "./VoiceNote.tsx";

/** When to ask again for a place that could not be had, or from which nothing came. Ms. */
const AGAIN_MS = 10_000;
/** Pictures are shown no wider than this. CSS pixels. */
const WIDEST = 360;

/** [MD-16] The media of a message; asks where it lies only when it comes into sight. */
export function Media({ media }: { media: MediaContent }) {
  const frame = useRef<HTMLDivElement>(null);
  const { places } = useSession();
  const timer = useRef(0);
  const url = useSignal(places.known(media.mediaId) ?? "");
  const find = async (anew = false) => {
    url.value = (await places.find(media.mediaId, anew)) ?? "";
    if (url.value === "") findLater();
  };
  const findLater = (anew = false) => {
    if (frame.current?.isConnected) timer.current = setTimeout(() => void find(anew), AGAIN_MS);
  };
  const missing = () => {
    url.value = "";
    findLater(true);
  };
  useEffect(() => {
    const sight = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      sight.disconnect();
      void find();
    });
    if (frame.current) sight.observe(frame.current);
    return () => {
      sight.disconnect();
      clearTimeout(timer.current);
    };
  }, [media.mediaId]);
  const kind = kindOf(media.contentType);
  const again = () => void find(true); // it played past the end of its place
  return (
    <div class={`media ${kind}`} ref={frame}>
      {kind === "image" && <Picture media={media} url={url.value} missing={missing} />}
      {kind === "audio" && <VoiceNote media={media} url={url.value} again={again} />}
      {kind === "video" && <Video url={url.value} again={again} />}
      {kind === "file" && <FileLink media={media} url={url.value} />}
    </div>
  );
}

/** The small one at first, in the size of the whole one, so that nothing moves when that comes. `missing`: it did not come. */
function Picture({ media, url, missing }: { media: MediaContent; url: string; missing: () => void }) {
  const { width, height, thumbnail, thumbhash, caption, name } = media;
  const session = useSession();
  const size =
    width && height
      ? { width: Math.min(width, WIDEST), height: Math.round((Math.min(width, WIDEST) * height) / width) }
      : {};
  const small = thumbnail ? `data:image/jpeg;base64,${thumbnail}` : thumbhash && blurOf(thumbhash);
  const source = url || small || undefined;
  const open = () => {
    const id = openId.value;
    if (!id) return;
    const { events } = heldOf(session.back.stateOf(id), id);
    const lines = timelineOf(events, { me: session.me, wishes: [], now: session.now.peek() });
    const all = lines.flatMap((line) => (line.is === "message" && isPicture(line.content) ? [line.content] : []));
    dialog.value = { is: "picture", media, all: all.length > 0 ? all : [media] };
  };
  return (
    <button type="button" class="picture" onClick={open}>
      <img
        alt={caption ?? plainName(name ?? "Photo")}
        decoding="async"
        onError={() => url && missing()}
        {...size}
        {...(source ? { src: source } : {})}
      />
      <span class="unseen">: show it whole</span>
    </button>
  );
}

const isPicture = (content: MediaContent | { type: "text" | "gone" }): content is MediaContent =>
  content.type === "media" && kindOf(content.contentType) === "image";

function Video({ url, again }: { url: string; again: () => void }) {
  const tries = useRef(0);
  return (
    <video
      controls
      preload="metadata"
      playsInline
      {...(url ? { src: url } : {})}
      onError={() => tries.current++ === 0 && again()}
    />
  );
}

/** Leads to the whole file, with a place that is good when it is followed. */
function FileLink({ media, url }: { media: MediaContent; url: string }) {
  const { places } = useSession();
  const follow = (event: MouseEvent) => {
    if (places.known(media.mediaId) !== undefined) return;
    event.preventDefault();
    void places.find(media.mediaId).then((fresh) => fresh && open(fresh, "_blank", "noopener,noreferrer"));
  };
  return (
    <a href={url || `/v1/media/${media.mediaId}`} target="_blank" rel="noopener noreferrer" onClick={follow}>
      <Icon name="file" />
      <span>
        <bdi>{plainName(media.name ?? "File")}</bdi>
        <small>{sizeText(media.bytes)}</small>
      </span>
    </a>
  );
}
