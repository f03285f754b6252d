/** An alarm this late has been given up by the platform (it retries six times and then never again). Ms. */
const STALE_MS = 5 * 60_000;

/** Quiet alarms ring at whole seconds and no others do: which kind rang outlives the object's memory that way, without a row. Ms. */
const QUIET_MS = 1_000;
const isQuiet = (at: number): boolean => at % QUIET_MS === 0;

/**
 * The one alarm of an object, and the only place that sets it. Each `setAlarm` is billed as a row, so it is moved forward only. A quiet one
 * is for what durable rows alone tell (something expires): who is woken by it has forgotten nothing.
 */
export class AlarmClock {
  private readonly storage: DurableObjectStorage;
  private at: number | null = null;
  /** The time that this life of the object has set last. */
  private setHere: number | null = null;
  /** There was one already when this life of the object began. */
  private isInherited = false;

  constructor(storage: DurableObjectStorage) {
    this.storage = storage;
  }

  async load(): Promise<void> {
    this.at = await this.storage.getAlarm();
    this.isInherited = this.isAtWork;
  }

  get isSet(): boolean {
    return this.at !== null;
  }

  /** Whether it rings for something that memory may have to tell. */
  get isAtWork(): boolean {
    return this.at !== null && !isQuiet(this.at);
  }

  /** Whether it rings by then, and not only quietly. Epoch ms. */
  ringsBy(at: number): boolean {
    return this.at !== null && this.at <= at && !isQuiet(this.at);
  }

  /** Rings at `at` or sooner. Epoch ms. Durable together with the writes of the same turn. */
  ringBy(at: number, now: number): void {
    if (this.ringsBy(at) && !this.isStale(now)) return;
    const soonest = this.at === null || this.isStale(now) ? at : Math.min(at, this.at);
    this.set(isQuiet(soonest) ? soonest - 1 : soonest);
  }

  /** The same for what needs no memory: at most a second later. */
  ringQuietlyBy(at: number, now: number): void {
    const whole = Math.ceil(at / QUIET_MS) * QUIET_MS;
    const next = this.isAtWork ? whole - 1 : whole; // what the other one was set for is still to be done
    if (this.at === null || this.at > next || this.isStale(now)) this.set(next);
  }

  private isStale(now: number): boolean {
    return this.at !== null && this.at < now - STALE_MS;
  }

  private set(at: number): void {
    this.at = at;
    this.setHere = at;
    void this.storage.setAlarm(at);
  }

  /** Rings no more. */
  async stop(): Promise<void> {
    this.at = this.setHere = null;
    this.isInherited = false;
    await this.storage.deleteAlarm();
  }

  /**
   * The alarm has gone off: from here on the next one can be set. True when an earlier life of the object had set it, for something that it
   * may not have written down. `scheduledAt`: as the runtime tells it. Epoch ms.
   */
  rang(scheduledAt: number | undefined): boolean {
    const isOfThisLife =
      scheduledAt === undefined ? this.setHere !== null && !this.isInherited : scheduledAt === this.setHere;
    this.at = this.setHere = null;
    this.isInherited = false;
    return !isOfThisLife && !(scheduledAt !== undefined && isQuiet(scheduledAt));
  }
}
