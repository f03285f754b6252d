import { decideDelete, isBlocking } from "../domain/membership.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import { LastCalls } from "./call-order.ts";
import { memberOf } from "./conversation-views.ts";
import type { Deliverer } from "./deliverer.ts";
import type { Ledger } from "./ledger.ts";
import type { Outcome } from "./rpc.ts";

type Parts = { ledger: Ledger; deliverer: Deliverer };

/** What a member takes from their own sight. Nobody else is told, and nothing is appended. */
export class SightDesk {
  private readonly parts: Parts;
  private readonly lastClears = new LastCalls();

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** [LM-16] All that there is. [LM-29] A call that comes late would take what was said since. */
  clear(userId: UserId, call: number): Outcome<null> {
    const { ledger } = this.parts;
    const found = memberOf(ledger.state, userId);
    if (!found.ok) return found;
    if (this.lastClears.isOvertaken(userId, call)) return refuse("unavailable");
    this.lastClears.note(userId, call);
    const { state, member } = found.value;
    ledger.write(() => state.sights.clear(member, state.head));
    return ok(null);
  }

  /** [LM-26] One message, and what it was edited to. */
  delete(userId: UserId, seq: number): Outcome<null> {
    const { ledger } = this.parts;
    const found = memberOf(ledger.state, userId);
    if (!found.ok) return found;
    const { state, member } = found.value;
    const { log } = state.store;
    const decided = decideDelete(member, seq, log.event(seq)?.kind === "message");
    if (!decided.ok) return decided;
    const seqs = [seq, ...log.editsOf(seq).map((edit) => edit.seq)];
    if (!decided.value) ledger.write(() => state.sights.delete(member, seqs));
    return ok(null);
  }

  /** [BL-1] What the other one of a direct conversation says, or does so no more. */
  block(userId: UserId, blocks: boolean): Outcome<null> {
    const { ledger, deliverer } = this.parts;
    const found = memberOf(ledger.state, userId);
    if (!found.ok) return found;
    const { state, member } = found.value;
    if (state.facts.kind !== "direct") return refuse("forbidden");
    ledger.write(() => state.sights.block(member, blocks, state.head));
    if (!blocks && isBlocking(member)) void deliverer.tellAgain([userId]); // [LM-19] pages tell what was recalled meanwhile
    return ok(null);
  }
}
