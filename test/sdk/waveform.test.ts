import * as fc from "fast-check";
import { expect, test } from "vitest";
import { MediaContent } from "../../src/protocol/events.ts";
import { levelsOf, waveformOf } from "../../src/sdk/index.ts";
import { always } from "../property.ts";

const VOICE = { type: "media", mediaId: "01ARZ3NDEKTSV4RRFFQ69G5FAV", contentType: "audio/ogg", bytes: 3 };
const fits = (waveform: unknown) => MediaContent.safeParse({ ...VOICE, durationMs: 1_000, waveform }).success;

test("[MD-25] a voice message tells how loud it is in 64 steps, whatever was recorded, and fits its message", () => {
  const samples = fc.float32Array({ minLength: 1, maxLength: 2_000, noNaN: false });
  always(
    fc.property(samples, (recorded) => {
      const waveform = waveformOf(recorded);
      expect(fits(waveform)).toBe(true);
      const levels = levelsOf(waveform);
      expect(levels).toHaveLength(Math.min(64, recorded.length));
      expect(levels.every((level) => level >= 0 && level <= 1)).toBe(true);
    }),
  );
});

test("[MD-25] the loudest step is 1, silence is 0, and each step is about its own stretch", () => {
  const rising = Float32Array.from({ length: 64_000 }, (_, i) => (i % 2 ? 1 : -1) * (i / 128_000));
  const levels = levelsOf(waveformOf(rising));
  expect(levels).toEqual([...levels].sort((a, b) => a - b));
  expect([levels.length, levels.at(-1)]).toEqual([64, 1]);
  expect(levels[31]).toBeCloseTo(0.5, 2);
  expect(levelsOf(waveformOf(new Float32Array(1_000)))).toEqual(Array.from({ length: 64 }, () => 0));
});

test("[MD-25] [MD-17] what somebody else sends is bounded, and harmless where it is no waveform", () => {
  for (const bad of ["", "a".repeat(89), "+/", "a b", 5, null, ["AAAA"], "<b>"])
    expect(fits(bad), `${bad}`).toBe(false);
  expect(levelsOf("A")).toEqual([]);
  expect(levelsOf("A".repeat(88))).toHaveLength(64);
});
