import type { ClientEvents } from "./api.ts";

type Listener = (told: never) => void;

/** Tells those who listen. What one of them throws is its own affair: the others are told all the same. */
export class Emitter {
  readonly #listeners = new Map<string, Set<Listener>>();

  on(name: string, listener: Listener): () => void {
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(listener));
    return () => void all.delete(listener);
  }

  hears(name: string): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<E extends keyof ClientEvents>(name: E, told: ClientEvents[E]): void {
    this.tell(name, told);
  }

  tell(name: string, told: unknown): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])])
      try {
        (listener as (told: unknown) => void)(told);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
  }

  /** All names that begin so. */
  tellEach(beginning: string): void {
    for (const name of [...this.#listeners.keys()]) if (name.startsWith(beginning)) this.tell(name, null);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
