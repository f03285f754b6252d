/** The document, as far as it is needed here. */
type Page = Pick<EventTarget, "addEventListener"> & { readonly visibilityState: string };
/** `sleep`: whether it does. */
type Shell = { wake: () => void; sleep: () => boolean };

/** A page that nobody has looked at for this long hangs up, where pushes come instead. Ms. */
const SLEEP_AFTER_MS = 60_000;

/** [CL-34] Whether somebody looks at the page, and what follows from it for the socket. */
export class Attention {
  readonly #page: Page;
  readonly #shell: Shell;
  /** Whether this device gets pushes while it has no socket. */
  getsPushes = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Page, shell: Shell, onChange: () => void) {
    this.#page = page;
    this.#shell = shell;
    page.addEventListener("visibilitychange", () => {
      this.#looked();
      onChange();
    });
    page.addEventListener("freeze", () => void shell.sleep());
    page.addEventListener("resume", () => shell.wake());
    if (!this.isVisible) this.#sleepSoon();
  }

  get isVisible(): boolean {
    return this.#page.visibilityState === "visible";
  }

  #looked(): void {
    clearTimeout(this.#timer);
    if (this.isVisible) this.#shell.wake();
    else this.#sleepSoon();
  }

  #sleepSoon(): void {
    this.#timer = setTimeout(() => {
      if (!this.getsPushes || !this.#shell.sleep()) this.#sleepSoon();
    }, SLEEP_AFTER_MS);
  }
}
