import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";
import { plainName } from "../words.ts";
import { Icon } from "./Icon.tsx";

const HUES = 8;
type Props = {
  name: string;
  isGroup?: boolean;
  large?: boolean;
  picture?: string | undefined;
  frame?: RefObject<HTMLSpanElement | null>;
  /** The picture is not to be had. */
  broken?: () => void;
};

/**
 * The first letter of a name in a colour of its own, which is the same everywhere; or a picture, where there is one, once it has loaded. Until
 * then, and where it does not load, the letter stands, so that nothing flickers and nothing is broken.
 */
export function Avatar({ name, isGroup = false, large = false, picture, frame, broken = () => {} }: Props) {
  const failed = useSignal("");
  const hasLoaded = useSignal(false);
  useEffect(() => {
    if (!picture) hasLoaded.value = false;
  }, [picture]);
  const url = picture === failed.value ? undefined : picture;
  const isShown = url !== undefined && hasLoaded.value; // another one replaces it on the screen when it has come
  const first = [...plainName(name)].find((letter) => /[\p{L}\p{N}]/u.test(letter));
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973, 7) % HUES;
  const classes = ["avatar", `hue-${hue}`, large ? "large" : "", isShown ? "shown" : ""];
  return (
    <span {...(frame ? { ref: frame } : {})} class={classes.filter(Boolean).join(" ")} aria-hidden="true">
      {!isShown && (isGroup ? <Icon name="people" /> : (first ?? "…").toUpperCase())}
      {url !== undefined && (
        <img
          src={url}
          alt=""
          onLoad={() => (hasLoaded.value = true)}
          onError={() => {
            hasLoaded.value = false;
            failed.value = url;
            broken();
          }}
        />
      )}
    </span>
  );
}
