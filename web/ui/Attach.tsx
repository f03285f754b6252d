import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { hasCamera } from "../model/camera.ts";
import { dialog } from "../model/shows.ts";
import { IconButton } from "./IconButton.tsx";
import { useWriting } from "./writing-context.ts";

/** A phone has an app of its own for its camera. */
const isPhone = (): boolean => matchMedia("(pointer: coarse)").matches;

/** Files from the device, or straight from its camera. [AP-35] */
export function Attach() {
  const writing = useWriting();
  const files = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const sees = useSignal(isPhone());
  useEffect(() => {
    if (!sees.value) void hasCamera().then((has) => (sees.value = has));
  }, []);
  const shoot = () => {
    if (isPhone()) camera.current?.click();
    else dialog.value = { is: "camera", take: (picture) => writing.stage([picture]) };
  };
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
        id="attach-camera"
        ref={camera}
        type="file"
        accept="image/*"
        capture="environment"
        hidden
        onChange={({ currentTarget }) => take(currentTarget)}
      />
      <IconButton icon="attach" label="Attach files" onClick={() => files.current?.click()} />
      {sees.value && <IconButton icon="camera" class="shoot" label="Take a picture" onClick={shoot} />}
    </>
  );
}
