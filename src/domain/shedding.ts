import { Shed } from "../protocol/states.ts";

/** [OV-1] The order in which an overloaded object leaves things out, by how long its oldest waiting message waits. Ms. Never messages. */
const STAGES = [
  { shed: "typing", waitMs: 1_000 },
  { shed: "presence", waitMs: 2_000 },
  { shed: "receipts", waitMs: 4_000 },
  { shed: "history", waitMs: 8_000 },
] as const satisfies readonly { shed: Shed; waitMs: number }[];

/** How much is left out: the first so many of the list. */
export type Stage = number;
export const MOST: Stage = STAGES.length;

/** [OV-2] It rises at once and falls when the wait is well below what made it rise, so that it does not flutter. */
export function stageAt(waitMs: number, before: Stage): Stage {
  const risen = STAGES.filter((stage) => waitMs >= stage.waitMs).length;
  const held = STAGES.filter((stage) => waitMs >= stage.waitMs / 2).length;
  return Math.max(risen, Math.min(before, held));
}

export const shedAt = (stage: Stage): Shed[] => Shed.options.slice(0, stage);
export const sheds = (stage: Stage, what: Shed): boolean => Shed.options.indexOf(what) < stage;
