/** The document, as far as it is needed here. */
type Page = Pick<EventTarget, "addEventListener"> & { readonly visibilityState: string };
/** `rest` answers whether it does. */
type Resting = { rest: () => Promise<boolean>; wake: () => void };

/** A page that nobody has looked at for this long hangs up, where pushes come instead. Ms. */
const REST_AFTER_MS = 60_000;

/** [CL-34] Whether somebody looks at the page, and what follows from it for the socket. */
export class Attention {
  readonly #page: Page;
  readonly #client: Resting;
  /** Whether this device gets pushes while it has no socket. */
  getsPushes = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Page, client: Resting, onChange: () => void) {
    this.#page = page;
    this.#client = client;
    page.addEventListener("visibilitychange", () => {
      clearTimeout(this.#timer);
      if (!this.isVisible) this.#restSoon();
      onChange();
    });
    page.addEventListener("freeze", () => void client.rest());
    page.addEventListener("resume", () => client.wake());
    if (!this.isVisible) this.#restSoon();
  }

  get isVisible(): boolean {
    return this.#page.visibilityState === "visible";
  }

  #restSoon(): void {
    this.#timer = setTimeout(async () => {
      const rests = this.getsPushes && (await this.#client.rest());
      if (!rests && !this.isVisible) this.#restSoon();
    }, REST_AFTER_MS);
  }
}
