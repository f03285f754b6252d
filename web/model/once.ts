/** Names what a person asks for, so that it is done once however often it is tried again; said in other words it is another thing. [AP-39] */
export class Once {
  readonly #newKey: () => string;
  #said = "";
  #key = "";

  /** `newKey`: the client's. */
  constructor(newKey: () => string) {
    this.#newKey = newKey;
  }

  /** `said`: all that is asked for, as JSON can say it. */
  keyOf(said: unknown): string {
    const words = JSON.stringify(said);
    if (words !== this.#said || this.#key === "") this.#key = this.#newKey();
    this.#said = words;
    return this.#key;
  }
}
