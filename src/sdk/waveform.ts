/** How loud a sound is from its beginning to its end, small enough to travel in the message: [MD-25]. */

/** Steps of a waveform, each a byte. */
const WAVEFORM_STEPS = 64;

/** The loudest of each stretch, beside the loudest of all. `samples`: from -1 to 1, of one channel. */
export function waveformOf(samples: Float32Array): string {
  const steps = Math.min(WAVEFORM_STEPS, samples.length);
  const stretch = samples.length / steps;
  const peaks = Array.from({ length: steps }, (_, i) => peakOf(samples, i * stretch, (i + 1) * stretch));
  const loudest = Math.max(...peaks, Number.MIN_VALUE);
  const bytes = peaks.map((peak) => Math.round((255 * peak) / loudest));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function peakOf(samples: Float32Array, from: number, to: number): number {
  let peak = 0;
  for (let i = Math.floor(from); i < to && i < samples.length; i++) peak = Math.max(peak, Math.abs(samples[i] ?? 0));
  return Number.isFinite(peak) ? peak : 0;
}

/** Its steps, from 0 to 1; none where it cannot be read, for it comes from somebody else. */
export function levelsOf(waveform: string): number[] {
  try {
    const bytes = atob(waveform.replaceAll("-", "+").replaceAll("_", "/"));
    return Array.from(bytes.slice(0, WAVEFORM_STEPS), (char) => char.charCodeAt(0) / 255);
  } catch {
    return [];
  }
}
