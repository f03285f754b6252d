import type { Result } from "../../src/protocol/result.ts";
import type { Client } from "../../src/sdk/client/index.ts";
import { answered } from "../doors.ts";
import type { ConversationId, ErrorCode, ReportWish, UserId } from "../wire.ts";
import { Once } from "./once.ts";

/** What is reported: somebody, and where given the message that it is about. */
export type Reported = { userId: UserId; conversationId?: ConversationId; seq?: number };

/** One wish to report, whose repeat makes no second report [RP-5]; with other words it is another one. */
export class Reporting {
  readonly #client: Pick<Client, "reports">;
  readonly #reported: Reported;
  readonly #once: Once;

  constructor(client: Pick<Client, "reports" | "newKey">, reported: Reported) {
    this.#client = client;
    this.#reported = reported;
    this.#once = new Once(client.newKey);
  }

  send(reason: ReportWish["reason"], note: string): Promise<Result<void, ErrorCode>> {
    const { userId, conversationId, seq } = this.#reported;
    const about = conversationId === undefined || seq === undefined ? {} : { conversationId, seqs: [seq] };
    const said = { userId, ...about, reason, ...(note ? { note } : {}) };
    return answered(this.#client.reports.send({ idempotencyKey: this.#once.keyOf(said), ...said }));
  }
}
