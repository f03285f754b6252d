import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { MediaId, UserId } from "../wire.ts";
import { Avatar } from "./Avatar.tsx";
import { useSession } from "./session-context.ts";

type Props = {
  name: string;
  isGroup: boolean;
  picture: MediaId | null;
  large?: boolean;
  /** Whose it is, if they are to be looked at again; the list only shows whom it knows. */
  looks?: UserId | null;
};

/** [AP-23] [AP-44] A conversation's sign: a group's or somebody's picture, asked for only when it comes into sight, or a letter. */
export function ConversationAvatar({ name, isGroup, picture, large = false, looks = null }: Props) {
  const session = useSession();
  const { places } = session;
  const frame = useRef<HTMLSpanElement>(null);
  const url = useSignal<{ of: MediaId; url: string } | null>(null);
  useEffect(() => {
    if (!picture && !looks) return;
    let isShown = true;
    const sight = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      sight.disconnect();
      if (looks) session.looks.at(looks);
      if (!picture) return;
      void places.find(picture).then((found) => {
        if (isShown && found) url.value = { of: picture, url: found };
        if (looks && !found) session.looks.at(looks, true);
      });
    });
    if (frame.current) sight.observe(frame.current);
    return () => {
      isShown = false;
      sight.disconnect();
    };
  }, [picture, looks]);
  const known = picture ? (url.value?.of === picture ? url.value.url : places.known(picture)) : undefined;
  return <Avatar name={name} isGroup={isGroup} large={large} picture={known} frame={frame} />;
}
