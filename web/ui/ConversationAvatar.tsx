import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { MediaId } from "../wire.ts";
import { Avatar } from "./Avatar.tsx";
import { useSession } from "./session-context.ts";

type Props = { name: string; isGroup: boolean; picture: MediaId | null; large?: boolean };

/** [AP-23] A conversation's sign: a group's picture, asked for only when it comes into sight, or a letter. */
export function ConversationAvatar({ name, isGroup, picture, large = false }: Props) {
  const { places } = useSession();
  const frame = useRef<HTMLSpanElement>(null);
  const url = useSignal<{ of: MediaId; url: string } | null>(null);
  useEffect(() => {
    if (!picture) return;
    let isShown = true;
    const sight = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      sight.disconnect();
      void places.find(picture).then((found) => {
        if (isShown && found) url.value = { of: picture, url: found };
      });
    });
    if (frame.current) sight.observe(frame.current);
    return () => {
      isShown = false;
      sight.disconnect();
    };
  }, [picture]);
  const known = picture ? (url.value?.of === picture ? url.value.url : places.known(picture)) : undefined;
  return <Avatar name={name} isGroup={isGroup} large={large} picture={known} frame={frame} />;
}
