import { type Stage, shedAt, stageAt } from "../domain/shedding.ts";
import { log } from "../platform/log.ts";

/** How overloaded an object is, and so what it leaves out. Looked at whenever something might be left out; needs no timer. */
export class Load {
  private now: Stage = 0;
  private readonly of: string;
  private readonly waitMs: (now: number) => number;

  /** `waitMs`: how long the oldest waiting message has waited. */
  constructor(of: string, waitMs: (now: number) => number) {
    this.of = of;
    this.waitMs = waitMs;
  }

  stage(now: number): Stage {
    const before = this.now;
    this.now = stageAt(this.waitMs(now), before);
    if (this.now !== before) log.warn("shedding", { of: this.of, shed: shedAt(this.now) }); // [OV-3]
    return this.now;
  }
}
