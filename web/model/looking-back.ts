import { effect, type Signal, signal } from "@preact/signals";
import type { Past } from "../../src/sdk/client/index.ts";
import { heldOf, laterThan, type ReplicaState } from "../../src/sdk/drawing.ts";
import type { ConversationId } from "../wire.ts";

type Ports = {
  readonly state: Signal<ReplicaState>;
  readonly around: (id: ConversationId, seq: number) => Promise<Past | null>;
};

/** [CL-59] The window of the past that is shown in the place of what is kept, from a jump there until it has met what is kept. */
export class LookingBack {
  readonly #ports: Ports;
  /** A new object whenever the window has grown. */
  readonly #shown = signal<{ readonly id: ConversationId; readonly past: Past } | null>(null);

  constructor(ports: Ports) {
    this.#ports = ports;
    effect(() => {
      if (ports.state.value && this.#shown.peek()?.past.isOver) this.leave(); // [AP-40] what ends it comes with the state
    });
  }

  /** Whether there is a window: what disappears in it does so without a change of what is kept. [CL-65] */
  get isOpen(): boolean {
    return this.#shown.peek() !== null;
  }

  /** The window of this conversation; null: what is kept is shown. */
  of(id: ConversationId): Past | null {
    return this.#shown.value?.id === id ? this.#shown.value.past : null;
  }

  /** The state with the window in the place of the conversation's log: what waits to be sent has no place there. */
  stateOf(id: ConversationId): ReplicaState {
    const state = this.#ports.state.value;
    const past = this.of(id);
    const held = heldOf(state, id);
    if (!past || past.isOver) return state;
    const { events } = past;
    const shown = { ...held, events: [...events, ...laterThan(events, held.events)] };
    const outbox = state.outbox.filter(({ event }) => event.kind !== "message");
    return { ...state, outbox, conversations: { ...state.conversations, [id]: shown } };
  }

  /** Shows what lies around this message: nothing is fetched where it is shown already. */
  async to(id: ConversationId, seq: number): Promise<void> {
    if (this.of(id)?.events.some((event) => event.seq === seq)) return;
    const past = await this.#ports.around(id, seq);
    this.#show(id, past);
  }

  async older(id: ConversationId): Promise<void> {
    const past = this.of(id);
    await past?.loadOlder().catch(() => 0);
    if (past && past === this.of(id)) this.#show(id, past);
  }

  async newer(id: ConversationId): Promise<void> {
    const past = this.of(id);
    await past?.loadNewer().catch(() => 0);
    if (past && past === this.of(id)) this.#show(id, past);
  }

  /** Shows what is kept again. */
  leave(): void {
    this.#shown.value = null;
  }

  #show(id: ConversationId, past: Past | null): void {
    this.#shown.value = past?.hasNewer ? { id, past } : null;
  }
}
