import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { beginCamera, endCamera, stillOf } from "../model/camera.ts";
import { close } from "../model/shows.ts";
import { Cancel, Dialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";

/** [AP-35] What the camera sees, to take a picture of. It is let go as soon as this is closed. */
export function Camera({ take }: { take: (picture: File) => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const is = useSignal<"waiting" | "seeing" | "refused">("waiting");
  useEffect(() => {
    let stream: MediaStream | null = null;
    let isOver = false;
    void beginCamera().then((begun) => {
      if (isOver) return endCamera(begun);
      stream = begun;
      if (video.current) video.current.srcObject = begun;
      if (!begun) is.value = "refused";
    });
    return () => {
      isOver = true;
      endCamera(stream);
    };
  }, []);
  const shoot = async () => {
    const picture = video.current && (await stillOf(video.current));
    if (!picture) return;
    close();
    take(picture);
  };
  return (
    <Dialog id="camera" title="Take a picture">
      <video
        ref={video}
        autoPlay
        playsInline
        muted
        hidden={is.value === "refused"}
        onLoadedData={() => (is.value = "seeing")}
      />
      <p class="problem" role="alert">
        {is.value === "refused" && "The browser does not give this page a camera"}
      </p>
      <div class="row">
        <Cancel />
        <button type="button" class="main" disabled={is.value !== "seeing"} onClick={() => void shoot()}>
          <Icon name="camera" />
          Take it
        </button>
      </div>
    </Dialog>
  );
}
