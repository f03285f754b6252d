import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { MediaContent } from "../wire.ts";
import { plainName } from "../words.ts";
import { Dialog } from "./Dialog.tsx";
import { IconButton } from "./IconButton.tsx";
import { useSession } from "./session-context.ts";

/** A picture as large as the screen allows, and the others of the conversation by the arrows. */
export function Viewer({ media, all }: { media: MediaContent; all: readonly MediaContent[] }) {
  const { places } = useSession();
  const at = useSignal(
    Math.max(
      0,
      all.findIndex(({ mediaId }) => mediaId === media.mediaId),
    ),
  );
  const url = useSignal("");
  const shown = all[at.value] ?? media;
  useEffect(() => {
    let isShown = true;
    url.value = places.known(shown.mediaId) ?? "";
    void places.find(shown.mediaId).then((found) => {
      if (isShown && found) url.value = found;
    });
    return () => {
      isShown = false;
    };
  }, [shown.mediaId]);
  const go = (step: number) => {
    at.value = Math.max(0, Math.min(at.value + step, all.length - 1));
  };
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent) => go({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0);
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const name = plainName(shown.name ?? "Photo");
  return (
    <Dialog id="viewer" title={name}>
      <figure>
        {url.value ? <img src={url.value} alt={shown.caption ?? name} /> : <p class="quiet">Loading …</p>}
        {shown.caption && <figcaption dir="auto">{shown.caption}</figcaption>}
      </figure>
      <div class="row">
        {all.length > 1 && (
          <IconButton icon="back" label="Earlier picture" disabled={at.value === 0} onClick={() => go(-1)} />
        )}
        {url.value && (
          <a class="button" href={url.value} target="_blank" rel="noopener noreferrer">
            Open the original
          </a>
        )}
        {all.length > 1 && (
          <IconButton
            icon="back"
            class="turned"
            label="Later picture"
            disabled={at.value === all.length - 1}
            onClick={() => go(1)}
          />
        )}
      </div>
    </Dialog>
  );
}
