import { useRef } from "preact/hooks";
import { Icon } from "./Icon.tsx";

type Props = {
  /** Of the field. */
  id: string;
  has: boolean;
  /** What it is of, for those who hear the buttons alone. */
  what: string;
  choose: (file: File) => void;
  remove: () => void;
};

/** Choosing, replacing and removing a picture. */
export function PictureChoice({ id, has, what, choose, remove }: Props) {
  const files = useRef<HTMLInputElement>(null);
  return (
    <div class="row">
      <input
        id={id}
        ref={files}
        type="file"
        accept="image/*"
        hidden
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          currentTarget.value = "";
          if (file) choose(file);
        }}
      />
      <button type="button" onClick={() => files.current?.click()}>
        <Icon name="camera" />
        {has ? "Replace" : "Choose a picture"}
        {has && <span class="unseen"> {what}</span>}
      </button>
      {has && (
        <button type="button" onClick={remove}>
          Remove<span class="unseen"> {what}</span>
        </button>
      )}
    </div>
  );
}

/** What refusals of a picture mean. */
export const PICTURE_WORDS = {
  invalid_request: "The browser cannot read this picture",
  media_not_offered: "This server keeps no pictures",
};
