import { currentMembers, decidePut, decideRemove, type MemberChange } from "../domain/membership.ts";
import { untickedBy } from "../domain/receipts.ts";
import type { UserId } from "../protocol/ids.ts";
import { ok, refuse } from "../protocol/result.ts";
import type { Announcer } from "./announcer.ts";
import type { Deliverer } from "./deliverer.ts";
import type { Fanout } from "./fanout.ts";
import type { Ledger } from "./ledger.ts";
import type { ReceiptDesk } from "./receipt-desk.ts";
import type { MemberRequest, Outcome } from "./rpc.ts";

type Parts = { ledger: Ledger; fanout: Fanout; receipts: ReceiptDesk; deliverer: Deliverer; announcer: Announcer };

/** Who is in a conversation: each act decided by a pure rule, then appended. */
export class MemberDesk {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  put({ actorId, userId, role, declined = false }: MemberRequest): Outcome<{ added: boolean }> {
    const { state } = this.parts.ledger;
    if (!state) return refuse("not_found");
    const { facts, roster, rules } = state;
    const removedAt = state.removedAt(userId);
    const decided = decidePut({ kind: facts.kind, roster, actorId, userId, role, rules, removedAt, declined });
    if (!decided.ok) return decided;
    if (decided.value) this.commit(actorId, [decided.value], Date.now());
    return ok({ added: decided.value?.change === "added" });
  }

  remove({ actorId, userId }: Pick<MemberRequest, "actorId" | "userId">): Outcome<null> {
    const { state } = this.parts.ledger;
    if (!state) return refuse("not_found");
    const { facts, roster } = state;
    const decided = decideRemove({ kind: facts.kind, roster, actorId, userId });
    if (!decided.ok) return decided;
    if (decided.value) this.commit(actorId, [decided.value], Date.now());
    return ok(null);
  }

  /** Appends members' changes, `also` in the same transaction, and does what follows from who came and who went. */
  commit(actorId: UserId, changes: MemberChange[], now: number, also: () => void = () => {}): void {
    const { ledger, fanout, receipts, announcer } = this.parts;
    const state = ledger.opened;
    const waited = state.requests.size;
    const unticked = untickedBy(changes, state.roster);
    ledger.write(() => {
      also();
      for (const change of changes) state.change(actorId, { kind: "member", ...change }, now);
    });
    for (const { userId, change } of changes) {
      const member = state.roster.get(userId);
      if (change === "added" && member) fanout.join(member, state.head);
      if (change === "removed" || change === "left") receipts.gone(userId);
    }
    announcer.announce(now);
    receipts.tellTicks(unticked);
    const isNewAdmin = waited > 0 && changes.some(({ change }) => change === "role");
    if (state.requests.size < waited || isNewAdmin) this.tellAdmins();
  }

  /** [IV-11] Who waits to be let in has changed. Admins who look ask for the summary then; the others find it when they come. */
  tellAdmins(): void {
    const { ledger, fanout, deliverer } = this.parts;
    const admins = currentMembers(ledger.opened.roster).filter((m) => m.role === "admin" && !fanout.isAway(m.userId));
    void deliverer.tellAgain(admins.map((m) => m.userId));
  }
}
