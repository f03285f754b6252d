import { type Mentioned, piecesOf } from "../words.ts";

/** A message's text. [AP-6] Every piece is a text node; a link leads to what it says and tells nobody where from. */
export function Words({ text, mentioned }: { text: string; mentioned: readonly Mentioned[] }) {
  return (
    <>
      {piecesOf(text, mentioned).map((piece) => {
        if (piece.is === "text") return piece.text;
        if (piece.is === "mention") return <b class={piece.me ? "mention me" : "mention"}>{piece.text}</b>;
        return (
          <a href={piece.href} title={piece.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">
            {piece.text}
          </a>
        );
      })}
    </>
  );
}
