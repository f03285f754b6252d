import { plainName } from "../words.ts";
import { Icon } from "./Icon.tsx";

const HUES = 8;

/** The first letter of a name in a colour of its own, which is the same everywhere. */
export function Avatar({ name, isGroup = false, large = false }: { name: string; isGroup?: boolean; large?: boolean }) {
  const first = [...plainName(name)].find((letter) => /[\p{L}\p{N}]/u.test(letter));
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973, 7) % HUES;
  return (
    <span class={`avatar hue-${hue}${large ? " large" : ""}`} aria-hidden="true">
      {isGroup ? <Icon name="people" /> : (first ?? "…").toUpperCase()}
    </span>
  );
}
