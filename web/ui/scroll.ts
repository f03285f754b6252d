import { signal } from "@preact/signals";

/** So near to the end counts as there. Px. */
const NEAR = 40;
const FLASH_MS = 1_600;

/**
 * [AP-7] Keeps the newest row in sight as long as the person is there, and otherwise the row that they look at where it is, whatever is
 * put above it or grows. Not every browser does so by itself, so none is left to.
 */
export class Scroll {
  /** Whether the newest is out of sight. */
  readonly away = signal(false);
  #log: HTMLElement | null = null;
  #rows: HTMLElement | null = null;
  #follows = true;
  /** The end that is here is not the newest: nobody stays at it. */
  isInPast = false;
  #anchor: { row: HTMLElement; top: number } | null = null;
  #noteRead: () => void = () => {};
  readonly #sizes = new ResizeObserver(() => this.settle());

  begin(log: HTMLElement, rows: HTMLElement, noteRead: () => void): void {
    this.#log = log;
    this.#rows = rows;
    this.#noteRead = noteRead;
    log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    for (const each of [log, rows]) this.#sizes.observe(each);
    this.settle();
  }

  end(): void {
    this.#sizes.disconnect();
  }

  #list(): HTMLElement[] {
    return [...(this.#rows?.children ?? [])].filter((row) => row instanceof HTMLElement);
  }

  #scrolled(): void {
    if (!this.#log) return;
    const { scrollTop, scrollHeight, clientHeight, scrollLeft } = this.#log;
    if (scrollLeft !== 0) this.#log.scrollLeft = 0;
    this.#follows = !this.isInPast && scrollHeight - scrollTop - clientHeight < NEAR;
    this.away.value = scrollHeight - scrollTop - clientHeight > clientHeight / 2;
    const { top } = this.#log.getBoundingClientRect();
    const row = this.#list().find((each) => each.getBoundingClientRect().bottom > top);
    this.#anchor = row ? { row, top: row.getBoundingClientRect().top } : null;
    this.#noteRead();
  }

  /** After anything was drawn, or has another size. */
  settle(): void {
    const log = this.#log;
    if (!log) return;
    if (this.#follows) log.scrollTop = log.scrollHeight;
    else if (this.#anchor?.row.isConnected)
      log.scrollTop += this.#anchor.row.getBoundingClientRect().top - this.#anchor.top;
  }

  /** To the newest, and on with it. */
  follow(): void {
    this.#follows = true;
    this.away.value = false;
    this.settle();
  }

  /** What was new when the conversation was opened begins near the top. */
  showUnread(): void {
    const line = this.#rows?.querySelector(".new-line");
    if (!this.#log || !line) return;
    const below = line.getBoundingClientRect().top - this.#log.getBoundingClientRect().top;
    this.#follows = false;
    this.#log.scrollTop += below - this.#log.clientHeight / 5; // in one go: at the end of the log there is no going back [AP-32]
    this.#scrolled();
  }

  /** Shows one message, and which it is. */
  show(seq: number): void {
    const row = this.#rows?.querySelector(`[data-seq="${seq}"]`);
    if (!row) return;
    this.#follows = false;
    row.scrollIntoView({ block: "center" });
    this.#scrolled();
    for (const other of this.#rows?.querySelectorAll(".flash") ?? []) other.classList.remove("flash");
    row.classList.add("flash");
    setTimeout(() => row.classList.remove("flash"), FLASH_MS);
  }

  /** The seq of the last row in sight; 0: none is. */
  lastSeen(): number {
    if (!this.#log) return 0;
    const { bottom } = this.#log.getBoundingClientRect();
    const last = this.#list().findLast((row) => row.dataset.seq && row.getBoundingClientRect().top < bottom - 8);
    return Number(last?.dataset.seq ?? 0);
  }
}
