import { headFor } from "../domain/membership.ts";
import type { UserId } from "../protocol/ids.ts";
import type { Fanout } from "./fanout.ts";
import type { Ledger } from "./ledger.ts";
import type { Settler } from "./settler.ts";

type Parts = { ledger: Ledger; fanout: Fanout; settler: Settler };
/** `answeredId`: whose inbox learns of it from the reply to its call. `mentioned`: whom it names. */
type Of = { answeredId?: UserId; mentioned: ReadonlySet<UserId> };

/** What follows whatever was appended: the alarm is set, in the same turn as the rows, and everybody is told what lies past their cursor. */
export class Announcer {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** `now`: epoch ms. */
  announce(now: number, { answeredId, mentioned }: Of = { mentioned: new Set() }): void {
    const { ledger, fanout, settler } = this.parts;
    const { roster, head } = ledger.opened;
    settler.due(now);
    for (const m of roster.values()) {
      if (m.userId === answeredId) continue;
      const mentions = mentioned.has(m.userId);
      fanout.note(m.userId, { type: "appended", target: headFor(m, head), now, mentions });
    }
  }
}
