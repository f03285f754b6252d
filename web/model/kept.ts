/**
 * Gives an item that is as it was the identity it had, so that what is drawn of it need not be looked at again. Items are plain JSON.
 */
export class Kept<T> {
  #known = new Map<string, { text: string; item: T }>();

  of(items: readonly T[], keyOf: (item: T) => string): T[] {
    const before = this.#known;
    this.#known = new Map();
    return items.map((item) => {
      const [key, text] = [keyOf(item), JSON.stringify(item)];
      const old = before.get(key);
      const kept = old?.text === text ? old : { text, item };
      this.#known.set(key, kept);
      return kept.item;
    });
  }
}
