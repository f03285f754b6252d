import { isWished } from "../../domain/life.ts";
import type { Wish } from "../../protocol/events.ts";
import type { ConversationId, IdempotencyKey } from "../../protocol/ids.ts";
import type { KeyMint } from "../keys.ts";
import { heldOf } from "../state.ts";
import type { MessageState, Sending } from "./api.ts";
import type { Ended, Said } from "./commands.ts";
import { EdgewiseError, isRetryable } from "./errors.ts";
import type { ClientState } from "./state.ts";
import { sentState, stateOf } from "./view.ts";

type Ports = {
  readonly mint: KeyMint;
  readonly now: () => number;
  readonly state: () => ClientState;
  readonly tell: (said: Said) => void;
};
/** How a wish ended, and who waits for it. */
type Open = { ended: Ended | null; settle: (ended: Ended) => void };

/** What is sent from this tab, until it has ended. */
export class Sendings {
  readonly #ports: Ports;
  readonly #open = new Map<string, Open>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  send(conversationId: ConversationId, event: Wish): Sending {
    const { mint, now, state, tell } = this.#ports;
    const composedAt = now();
    const keys = state().replica.outbox.map(({ idempotencyKey }) => idempotencyKey);
    const wishId = mint.mint(composedAt, keys.sort().at(-1) ?? null); // [CL-14]
    const open: Open = { ended: null, settle: () => {} };
    this.#open.set(wishId, open);
    tell({ type: "wish", conversationId, idempotencyKey: wishId, composedAt, event });
    return this.#sending(conversationId, wishId, open);
  }

  #sending(conversationId: ConversationId, wishId: IdempotencyKey, open: Open): Sending {
    const { state } = this.#ports;
    let sent: Promise<number> | null = null;
    return {
      id: wishId,
      get state(): MessageState {
        const { ticks } = heldOf(state().replica, conversationId);
        if (open.ended && "seq" in open.ended) return sentState(open.ended.seq, ticks);
        if (open.ended) return { is: "failed", code: open.ended.code, retryable: isRetryable(open.ended.code) };
        const entry = state().replica.outbox.find((other) => other.wishId === wishId);
        return entry ? stateOf(entry, ticks) : { is: "queued" };
      },
      // Made when somebody asks, so that a refusal nobody waits for is no unhandled rejection.
      get sent(): Promise<number> {
        sent ??= new Promise((resolve, reject) => {
          open.settle = (ended) => ("seq" in ended ? resolve(ended.seq) : reject(new EdgewiseError(ended.code)));
          if (open.ended) open.settle(open.ended);
        });
        return sent;
      },
    };
  }

  ended(ended: Ended): void {
    const open = this.#open.get(ended.wishId);
    this.#open.delete(ended.wishId);
    if (!open) return;
    open.ended = ended;
    open.settle(ended);
  }

  /** [CL-48] [CL-76] Another tab leads now: what ended while none did, or was told by one that died over it, was told to nobody. */
  reconcile(): void {
    if (this.#open.size === 0) return;
    const { replica, aliases } = this.#ports.state();
    for (const { wishId, conversationId, standing } of replica.outbox)
      if (standing.is === "failed") this.ended({ wishId, conversationId, code: standing.code });
    for (const [id, { events }] of Object.entries(replica.conversations))
      for (const event of events) {
        if (!isWished(event)) continue;
        const wishId = (aliases[event.idempotencyKey] ?? event.idempotencyKey) as IdempotencyKey;
        if (this.#open.has(wishId)) this.ended({ wishId, conversationId: id as ConversationId, seq: event.seq });
      }
  }
}
