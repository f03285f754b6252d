import type { Tick } from "../rows.ts";
import { memo } from "./memo.ts";

const MARKS: Record<Tick, string[]> = {
  queued: ["M8 3.2a5 5 0 1 0 0 9.6a5 5 0 1 0 0-9.6M8 5.4V8l1.8 1.2"],
  sent: ["m3.5 8.5 3 3 6-7"],
  delivered: ["m1 8.5 3 3 6-7", "m7.5 11.2.3.3 6-7"],
  read: ["m1 8.5 3 3 6-7", "m7.5 11.2.3.3 6-7"],
  failed: ["M8 3v6M8 12v.3"],
};

/** How far a message has come, as a sign and in words. */
export const TickSign = memo(function TickSign({ tick }: { tick: Tick }) {
  return (
    <span class="tick-sign" data-is={tick}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {MARKS[tick].map((mark) => (
          <path key={mark} d={mark} />
        ))}
      </svg>
      <span class="unseen"> {tick}</span>
    </span>
  );
});
