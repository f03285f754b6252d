import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { lengthText } from "../clock.ts";
import { tell } from "../model/shows.ts";
import { waveformIn } from "../model/sound.ts";
import type { ConversationId } from "../wire.ts";
import { SendSign } from "./Icon.tsx";
import { IconButton } from "./IconButton.tsx";
import { useSession } from "./session-context.ts";
import { useWriting } from "./writing-context.ts";

export const mayRecord = (): boolean => "MediaRecorder" in globalThis && navigator.mediaDevices !== undefined;

const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
type Take = { recorder: MediaRecorder; parts: Blob[]; startedAt: number };

/** [AP-9] A voice message: recorded in place of the field, then sent or thrown away. */
export function Recorder({ id, end }: { id: ConversationId; end: () => void }) {
  const { uploads } = useSession();
  const writing = useWriting();
  const take = useRef<Take | null>(null);
  const lengthMs = useSignal(0);
  useEffect(() => {
    let isOver = false;
    const timer = setInterval(() => {
      if (take.current) lengthMs.value = Date.now() - take.current.startedAt;
    }, 200);
    void begin().then((begun) => {
      if (isOver) stopTracks(begun);
      else if (begun) take.current = begun;
      else {
        tell("The browser does not give this page a microphone");
        end();
      }
    });
    return () => {
      isOver = true;
      clearInterval(timer);
      stopTracks(take.current);
    };
  }, []);
  const send = () => {
    const taken = take.current;
    if (!taken) return;
    const durationMs = Date.now() - taken.startedAt;
    taken.recorder.onstop = async () => {
      const { mimeType } = taken.recorder;
      const name = `voice-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.${/mp4|ogg/.exec(mimeType)?.[0] ?? "webm"}`;
      const file = new File(taken.parts, name, { type: mimeType });
      stopTracks(taken);
      uploads.sendNow(id, file, { durationMs, waveform: await waveformIn(file) });
      writing.sentCount.value += 1; // it is seen like anything else that is sent [AP-32]
      end();
    };
    taken.recorder.stop();
  };
  return (
    <section
      id="composer"
      aria-label="Voice message"
      onKeyDown={(event) => {
        if (event.key === "Escape") end();
      }}
    >
      <div class="field">
        <IconButton icon="trash" label="Throw the recording away" onClick={end} />
        <p class="recording" role="timer">
          <span class="dot" />
          {lengthText(lengthMs.value)}
        </p>
        <button
          type="button"
          class="main send"
          aria-label="Send the recording"
          title="Send"
          onClick={send}
          ref={(b) => b?.focus()}
        >
          <SendSign />
        </button>
      </div>
    </section>
  );
}

/** Null: there is no microphone, or the person does not lend it. */
async function begin(): Promise<Take | null> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
  if (!stream) return null;
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType === undefined ? {} : { mimeType });
  const parts: Blob[] = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  return { recorder, parts, startedAt: Date.now() };
}

function stopTracks(take: Take | null): void {
  for (const track of take?.recorder.stream.getTracks() ?? []) track.stop();
}
