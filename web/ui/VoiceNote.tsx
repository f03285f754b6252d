import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { levelsOf } from "../../src/sdk/drawing.ts";
import { lengthText } from "../clock.ts";
import type { MediaContent } from "../wire.ts";
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
  const levels = useMemo(() => (media.waveform === undefined ? [] : levelsOf(media.waveform)), [media.waveform]);
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
      <Seek levels={levels} part={at.value / Math.max(length.value, 0.1)}>
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
      </Seek>
      <span class="quiet">{lengthText((playing.value || at.value > 0 ? at.value : length.value) * 1_000)}</span>
      <button type="button" class="speed" onClick={faster}>
        {speed}×<span class="unseen"> speed</span>
      </button>
    </div>
  );
}

/** [MD-25] How loud it is from beginning to end, drawn under the way to go to some place of it; `part`: how much of it was played. */
function Seek({ levels, part, children }: { levels: readonly number[]; part: number; children: ComponentChildren }) {
  if (levels.length === 0) return children;
  return (
    <span class="waveform">
      <svg viewBox={`0 0 ${levels.length * 3} 28`} preserveAspectRatio="none" aria-hidden="true">
        {levels.map((level, i) => {
          const height = Math.max(2, level * 26);
          const isPlayed = i < part * levels.length;
          return (
            <rect
              key={i}
              class={isPlayed ? "played" : ""}
              x={i * 3}
              y={14 - height / 2}
              width={2}
              height={height}
              rx={1}
            />
          );
        })}
      </svg>
      {children}
    </span>
  );
}
