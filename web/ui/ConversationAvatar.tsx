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
  /** Whose face it is: they are read again where their picture is not there any more. */
  whose?: UserId | null;
  /** Whether they are looked at, and so are read again now and then; the list shows many. */
  looks?: boolean;
};

/** [AP-23] [AP-44] A conversation's sign: a group's or somebody's picture, asked for only when it comes into sight, or a letter. */
export function ConversationAvatar({ name, isGroup, picture, large = false, whose = null, looks = false }: Props) {
  const session = useSession();
  const { places } = session;
  const frame = useRef<HTMLSpanElement>(null);
  const url = useSignal<{ of: MediaId; url: string } | null>(null);
  const again = () => whose && session.looks.at(whose, true);
  useEffect(() => {
    if (!picture && !(whose && looks)) return;
    let isShown = true;
    const sight = new IntersectionObserver(([entry]) => {
      if (!entry?.isIntersecting) return;
      sight.disconnect();
      if (whose && looks) session.looks.at(whose);
      if (!picture) return;
      void places.find(picture).then((found) => {
        if (isShown && found) url.value = { of: picture, url: found };
        if (!found) again();
      });
    });
    if (frame.current) sight.observe(frame.current);
    return () => {
      isShown = false;
      sight.disconnect();
    };
  }, [picture, whose, looks]);
  const known = picture ? (url.value?.of === picture ? url.value.url : places.known(picture)) : undefined;
  return <Avatar name={name} isGroup={isGroup} large={large} picture={known} frame={frame} broken={again} />;
}
