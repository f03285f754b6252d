import type { Channel, Locks } from "../../src/sdk/client/environment.ts";
import type { Clockwork } from "./clockwork.ts";
import { Wire } from "./sockets.ts";

/** A tab as its browser knows it. */
type Page = { readonly isAlive: boolean };
type Waiting = { page: Page; begin: () => void };
type Listening = { page: Page; name: string; wires: Map<Page, Wire<unknown>>; hear: (message: unknown) => void };

/** What the tabs of a device have in common besides their disk: locks, of which a tab that dies lets go, and channels that take their time. */
export class Browser {
  readonly #works: Clockwork;
  readonly #held = new Map<string, Page>();
  readonly #waiting = new Map<string, Waiting[]>();
  #listening: Listening[] = [];
  /** How late what a tab said last comes that has died. Ms. */
  readonly #lags = new Map<Page, number>();

  constructor(works: Clockwork) {
    this.#works = works;
  }

  locksOf(page: Page): Locks {
    return {
      hold: (name, act) =>
        new Promise((resolve, reject) => {
          const begin = () => {
            const end = (settle: () => void) => {
              if (!page.isAlive) return;
              this.#release(name);
              settle();
            };
            act().then(
              (value) => end(() => resolve(value)),
              (error) => end(() => reject(error)),
            );
          };
          this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), { page, begin }]);
          this.#grant(name);
        }),
    };
  }

  #grant(name: string): void {
    if (this.#held.has(name)) return;
    const [next, ...others] = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, others);
    if (!next) return;
    this.#held.set(name, next.page);
    this.#works.after(this.#works.pick(5), () => {
      if (next.page.isAlive) next.begin();
    });
  }

  #release(name: string): void {
    this.#held.delete(name);
    this.#grant(name);
  }

  channelOf(page: Page, name: string): Channel {
    let hear: (message: unknown) => void = () => {};
    const listening: Listening = { page, name, wires: new Map(), hear: (message) => hear(message) };
    this.#listening.push(listening);
    return {
      post: (message) => {
        for (const other of this.#listening)
          if (other !== listening && other.name === name) this.#wire(page, other).send(structuredClone(message));
      },
      listen: (listener) => {
        hear = listener;
      },
      close: () => {
        this.#listening = this.#listening.filter((other) => other !== listening);
      },
    };
  }

  #wire(from: Page, to: Listening): Wire<unknown> {
    const works = this.#works;
    const delayMs = () => (works.chance(0.03) ? works.pick(800) : works.pick(6));
    const receive = (message: unknown) => {
      const hear = () => to.page.isAlive && to.hear(message);
      const lagMs = this.#lags.get(from) ?? 0;
      if (lagMs > 0) works.after(lagMs, hear);
      else hear();
    };
    const wire = to.wires.get(from) ?? new Wire(works, delayMs, receive);
    to.wires.set(from, wire);
    return wire;
  }

  /** The tab is gone; what it was saying may be lost, or come when another one leads. */
  died(page: Page): void {
    const isHeard = this.#works.chance(0.5);
    if (this.#works.chance(0.5)) this.#lags.set(page, this.#works.pick(1_500));
    for (const { wires } of this.#listening) {
      const wire = wires.get(page);
      if (wire && !isHeard) wire.cut = true;
    }
    this.#listening = this.#listening.filter((other) => other.page !== page);
    for (const [name, waiting] of this.#waiting)
      this.#waiting.set(
        name,
        waiting.filter((one) => one.page !== page),
      );
    for (const [name, holder] of this.#held)
      if (holder === page) this.#works.after(this.#works.pick(30), () => this.#release(name));
  }
}
