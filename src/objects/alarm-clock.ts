/** An alarm this late has been given up by the platform (it retries six times and then never again). Ms. */
const STALE_MS = 5 * 60_000;

/** The one alarm of an object, and the only place that sets it. Each `setAlarm` is billed as a row, so it is moved forward only. */
export class AlarmClock {
  private readonly storage: DurableObjectStorage;
  private at: number | null = null;
  private isSetHere = false;
  /** There was one already when this life of the object began. */
  private isInherited = false;

  constructor(storage: DurableObjectStorage) {
    this.storage = storage;
  }

  async load(): Promise<void> {
    this.at = await this.storage.getAlarm();
    this.isInherited = this.at !== null;
  }

  get isSet(): boolean {
    return this.at !== null;
  }

  /** Whether it rings by then. Epoch ms. */
  ringsBy(at: number): boolean {
    return this.at !== null && this.at <= at;
  }

  /** Rings at `at` or sooner. Epoch ms. Durable together with the writes of the same turn. */
  ringBy(at: number, now: number): void {
    const stale = this.at !== null && this.at < now - STALE_MS;
    if (this.at !== null && this.at <= at && !stale) return;
    this.at = at;
    this.isSetHere = true;
    void this.storage.setAlarm(at);
  }

  /** Rings no more. */
  async stop(): Promise<void> {
    this.at = null;
    await this.storage.deleteAlarm();
  }

  /** The alarm has gone off: from here on the next one can be set. True when an earlier life of the object had set it. */
  rang(): boolean {
    const isOfAnotherLife = this.isInherited || !this.isSetHere; // woken by the alarm itself, nobody has set it here
    this.at = null;
    this.isInherited = this.isSetHere = false;
    return isOfAnotherLife;
  }
}
