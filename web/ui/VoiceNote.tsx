import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { MediaContent } from "../../src/protocol/events.ts";
import { lengthText } from "../clock.ts";
import { IconButton } from "./IconButton.tsx";

const SPEEDS = [1, 1.5, 2];

/** A sound, played where it stands. */
export function VoiceNote({ media, url, again }: { media: MediaContent; url: string; again: () => void }) {
  const sound = useRef<HTMLAudioElement>(null);
  const tries = useRef(0);
  const playing = useSignal(false);
  const at = useSignal(0);
  const length = useSignal((media.durationMs ?? 0) / 1_000);
  const speed = useSignal(1);
  const turn = () => {
    if (playing.value) sound.current?.pause();
    else void sound.current?.play().catch(() => {}); // it cannot be played: the button stays as it is
  };
  const faster = () => {
    speed.value = SPEEDS[(SPEEDS.indexOf(speed.value) + 1) % SPEEDS.length] ?? 1;
    if (sound.current) sound.current.playbackRate = speed.value;
  };
  return (
    <div class="voice">
      <audio
        ref={sound}
        preload="metadata"
        {...(url ? { src: url } : {})}
        onPlay={() => (playing.value = true)}
        onPause={() => (playing.value = false)}
        onEnded={() => (at.value = 0)}
        onTimeUpdate={({ currentTarget }) => (at.value = currentTarget.currentTime)}
        onDurationChange={({ currentTarget: { duration } }) => {
          if (Number.isFinite(duration)) length.value = duration; // what was recorded may not know its own
        }}
        onError={() => tries.current++ === 0 && again()}
      />
      <IconButton icon={playing.value ? "pause" : "play"} label={playing.value ? "Pause" : "Play"} onClick={turn} />
      <input
        type="range"
        aria-label="Where it plays"
        aria-valuetext={`${lengthText(at.value * 1_000)} of ${lengthText(length.value * 1_000)}`}
        min={0}
        max={Math.max(length.value, 0.1)}
        step={0.1}
        value={at}
        onInput={({ currentTarget }) => {
          if (sound.current) sound.current.currentTime = Number(currentTarget.value);
        }}
      />
      <span class="quiet">{lengthText((playing.value || at.value > 0 ? at.value : length.value) * 1_000)}</span>
      <button type="button" class="speed" onClick={faster}>
        {speed}×<span class="unseen"> speed</span>
      </button>
    </div>
  );
}
