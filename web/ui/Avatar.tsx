import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { plainName } from "../words.ts";
import { Icon } from "./Icon.tsx";

const HUES = 8;
type Props = {
  name: string;
  isGroup?: boolean;
  large?: boolean;
  picture?: string | undefined;
  frame?: RefObject<HTMLSpanElement | null>;
};

/** The first letter of a name in a colour of its own, which is the same everywhere; or a picture, where there is one and it loads. */
export function Avatar({ name, isGroup = false, large = false, picture, frame }: Props) {
  const broken = useSignal("");
  const first = [...plainName(name)].find((letter) => /[\p{L}\p{N}]/u.test(letter));
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973, 7) % HUES;
  return (
    <span {...(frame ? { ref: frame } : {})} class={`avatar hue-${hue}${large ? " large" : ""}`} aria-hidden="true">
      {picture && picture !== broken.value ? (
        <img src={picture} alt="" onError={() => (broken.value = picture)} />
      ) : isGroup ? (
        <Icon name="people" />
      ) : (
        (first ?? "…").toUpperCase()
      )}
    </span>
  );
}
