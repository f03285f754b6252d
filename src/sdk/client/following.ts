import type { Ended } from "./commands.ts";
import { type Moment, NO_MOMENT } from "./moment.ts";
import type { Sessions } from "./sessions.ts";
import { applyClientChange, type ClientChange, type ClientState, NOTHING_KEPT } from "./state.ts";
import { Coming, forHead, headOver } from "./taking-over.ts";
import type { Joining, ToLeader, Told } from "./told.ts";

type Ports = {
  readonly tab: string;
  readonly sessions: Sessions;
  readonly post: (told: Told) => void;
  readonly onChange: (changes: readonly ClientChange[], ended: readonly Ended[]) => void;
  readonly onCleared: () => void;
  /** A tab leads that has given its state: it can be told what is wished for here. */
  readonly onLed: () => void;
  /** What was asked of the tab that leads has ended. */
  readonly onSettled: (told: Settled) => void;
};
export type Settled = Extract<Told, { type: "done" | "refused" }>;

/** What a tab shows that does not lead: first what lies in the store, then what the tab that leads gives and tells. [CL-48] */
export class Following {
  readonly #ports: Ports;
  #state: ClientState;
  #isWhole: boolean;
  #moment: Moment = NO_MOMENT;
  /** The tab that leads, once it has given its state: from then on what it tells follows on. */
  #leader: string | null = null;
  /** The newest join of this tab. */
  #join = 0;
  /** [CL-60] What it gives, until all of it is here. */
  #coming: Coming | null = null;

  constructor(ports: Ports, state: ClientState, isWhole: boolean) {
    this.#ports = ports;
    this.#state = state;
    this.#isWhole = isWhole;
  }

  get state(): ClientState {
    return this.#state;
  }
  get isWhole(): boolean {
    return this.#isWhole;
  }
  get moment(): Moment {
    return this.#moment;
  }
  get leader(): string | null {
    return this.#leader;
  }

  join(): void {
    this.#leader = null;
    this.#coming = null;
    this.#join += 1;
    this.#ports.post({ type: "join", ...this.#joining });
  }

  get #joining(): Joining {
    return { from: this.#ports.tab, join: this.#join, inPieces: true };
  }

  /** [CL-74] Whether it is of another term than the one whose state is here: it would come to a state that it does not follow on. */
  #isOfAnother({ leader }: { readonly leader?: string | undefined }): boolean {
    return this.#leader !== null && leader !== undefined && leader !== this.#leader;
  }

  /** This tab leads now. */
  end(): void {
    this.#coming = null;
    this.#state = NOTHING_KEPT;
  }

  hear(told: Exclude<Told, ToLeader>): void {
    const { tab, sessions, onChange, onCleared, onLed, onSettled } = this.#ports;
    switch (told.type) {
      case "lead":
        this.join();
        break;
      case "state":
        if (told.to !== tab || (told.join ?? this.#join) !== this.#join) return; // [CL-74] who was asked before may be dead by now
        this.#leader = told.leader;
        this.#begin(told);
        this.#moment = told.moment;
        onLed();
        void sessions.load();
        onChange([], []);
        break;
      case "piece":
        if (told.to === tab && told.leader === this.#leader) this.#come(told);
        break;
      case "delta":
        if (this.#leader === null || this.#isOfAnother(told)) return;
        this.#coming?.changed(told.changes);
        this.#state = (this.#coming ? forHead(told.changes) : told.changes).reduce(applyClientChange, this.#state);
        this.#moment = told.moment;
        onChange(told.changes, told.ended);
        break;
      case "cleared":
        if (this.#isOfAnother(told)) return;
        this.#state = NOTHING_KEPT;
        this.join();
        onCleared();
        break;
      case "session":
        void sessions.load(told.because);
        break;
      case "done":
      case "refused":
        if (told.to === tab) onSettled(told);
    }
  }

  #begin({ state, parts }: Extract<Told, { type: "state" }>): void {
    this.#coming = parts && parts.count > 0 ? new Coming(parts.number, state, parts.count) : null;
    this.#state = this.#coming ? headOver(this.#state, state) : state;
    if (this.#coming) this.#askNext(this.#coming);
    else this.#isWhole = true;
  }

  /** Each when the one before has come: both tabs do other things in between. */
  #askNext({ number, next: at }: Coming): void {
    if (this.#leader !== null) this.#ports.post({ type: "more", ...this.#joining, to: this.#leader, number, at });
  }

  #come({ number, at, piece }: Extract<Told, { type: "piece" }>): void {
    const coming = this.#coming;
    if (!coming?.take(number, at, piece)) return;
    const { whole } = coming;
    if (!whole) {
      this.#askNext(coming);
      return;
    }
    this.#state = whole;
    this.#coming = null;
    this.#isWhole = true;
    this.#ports.onChange([], []);
  }
}
