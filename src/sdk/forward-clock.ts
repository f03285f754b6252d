/** [CL-21] Turns a clock that people and networks set into one that never goes back, so that no retry waits for an hour to come again. */
export class ForwardClock {
  #back = 0;
  #last = 0;

  timeAt(now: number): number {
    this.#back += Math.max(0, this.#last - (now + this.#back));
    this.#last = now + this.#back;
    return this.#last;
  }
}
