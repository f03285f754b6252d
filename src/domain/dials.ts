/** Which of a device's sockets is the one that counts. Several may be open for a moment: a page dials before it says hello. */

/** `number`: rises with each socket that the device opens while others of it are open. `spoke`: it has said hello. */
export type Dial = { readonly number: number; readonly spoke: boolean };

/** Sockets of one device on which nothing was said yet, at most. */
const SILENT = 4;

export const nextNumber = (open: readonly Dial[]): number => 1 + Math.max(0, ...open.map(({ number }) => number));

/**
 * [SO-2] [SO-9] Whether `other` goes when its device says hello on `speaking`: it was dialled before, or it is the one that counted until now. One that was dialled later and
 * is about to speak stays, whichever hello comes first.
 */
export const gives = (other: Dial, speaking: Dial): boolean => other.spoke || other.number < speaking.number;

/** [SO-10] Those that have to go before another one is taken in: the oldest of the silent ones. */
export function surplus<D extends Dial>(open: readonly D[]): readonly D[] {
  const silent = open.filter(({ spoke }) => !spoke).sort((a, b) => a.number - b.number);
  return silent.slice(0, Math.max(0, silent.length + 1 - SILENT));
}
