import { useRef } from "preact/hooks";
import { IconButton } from "./IconButton.tsx";
import { useWriting } from "./writing-context.ts";

/** Files from the device; on a phone also straight from its camera. */
export function Attach() {
  const writing = useWriting();
  const files = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    writing.stage(input.files);
    input.value = "";
  };
  return (
    <>
      <input
        id="attach-files"
        ref={files}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      <input
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      <IconButton icon="attach" label="Attach files" onClick={() => files.current?.click()} />
      {matchMedia("(pointer: coarse)").matches && (
        <IconButton icon="camera" label="Take a picture" onClick={() => camera.current?.click()} />
      )}
    </>
  );
}
