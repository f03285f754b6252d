import { EdgewiseError } from "./errors.ts";
import { Handings } from "./handing-over.ts";
import type { Leader } from "./leader.ts";
import type { Joining, Refused, ToLeader, Told } from "./told.ts";

type Ports = { readonly tab: string; readonly now: () => number; readonly post: (told: Told) => void };

/** What the tab that leads does for the others: gives its state to those that join, and does what is wished for there. [CL-48] */
export class Serving {
  readonly #ports: Ports;
  readonly #handings = new Handings();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** The store was cleared: what was being given is no more. */
  clear(): void {
    this.#handings.clear();
  }

  hear(leader: Leader, told: ToLeader): void {
    if (told.type === "join") this.#handOver(leader, told);
    else if (told.to !== this.#ports.tab)
      return; // it was meant for the one that led before
    else if (told.type === "more") this.#giveMore(leader, told);
    else this.#do(leader, told);
  }

  /** [CL-60] What is left of the logs is asked for. */
  #handOver({ state, moment }: Leader, { from: to, join, inPieces }: Joining): void {
    const { tab, now, post } = this.#ports;
    const all = { type: "state", to, leader: tab, join, moment } as const;
    if (!inPieces) {
      post({ ...all, state });
      return;
    }
    const { head, ...parts } = this.#handings.begin(to, state, now());
    post({ ...all, state: head, parts });
  }

  #giveMore(leader: Leader, told: Extract<ToLeader, { type: "more" }>): void {
    const { tab, now, post } = this.#ports;
    const { from: to, number, at } = told;
    const piece = this.#handings.piece(to, number, at, now());
    if (piece) post({ type: "piece", to, leader: tab, number, at, piece });
    else if (!this.#handings.isUnderWay(to)) this.#handOver(leader, told); // it slept too long
  }

  #do(leader: Leader, { from: to, id, command }: Extract<ToLeader, { type: "do" }>): void {
    leader.do(to, command).then(
      (value) => this.#ports.post({ type: "done", to, id, value }),
      (error) => this.#ports.post({ type: "refused", to, id, error: refusedBy(error) }),
    );
  }
}

function refusedBy(error: unknown): Refused {
  if (!(error instanceof EdgewiseError)) return { code: "internal", detail: String(error), retryAfterMs: null };
  return { code: error.code, detail: error.detail, retryAfterMs: error.retryAfterMs };
}
