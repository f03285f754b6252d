import { waveformOf } from "../../src/sdk/drawing.ts";

/** [MD-25] How loud a recording is from its beginning to its end; null where the browser cannot read it. */
export async function waveformIn(recording: Blob): Promise<string | null> {
  const context = new AudioContext();
  try {
    const sound = await context.decodeAudioData(await recording.arrayBuffer());
    return waveformOf(sound.getChannelData(0));
  } catch {
    return null;
  } finally {
    void context.close();
  }
}
