/** [AP-35] A picture no larger than a screen shows; the camera gives what it has. Pixels. */
const WIDE = 1_920;

/** The camera's picture as it moves; null: there is none, or the person does not lend it. */
export const beginCamera = (): Promise<MediaStream | null> =>
  navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDE } } }).catch(() => null);

/** Its light goes out. */
export function endCamera(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Whether there is one to ask for: so much is told without being asked. */
export async function hasCamera(): Promise<boolean> {
  const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []);
  return devices?.some(({ kind }) => kind === "videoinput") ?? false;
}

/** What is seen just now, as a file; null: nothing is yet. */
export async function stillOf(video: HTMLVideoElement): Promise<File | null> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9));
  const name = `photo-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`;
  return blob && new File([blob], name, { type: "image/jpeg" });
}
