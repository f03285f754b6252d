import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { ReportWish } from "../../src/protocol/http.ts";
import type { ConversationId, IdempotencyKey, UserId } from "../../src/protocol/ids.ts";
import { ok, type Result } from "../../src/protocol/result.ts";
import { KeyMint, NOTHING_STORED } from "../../src/sdk/index.ts";

/** What calls the door of reports as this device. */
export type Lend = { readonly call: (door: "report", sent: { body: object }) => Promise<Result<unknown, ErrorCode>> };

/** What is reported: somebody, and where given the message that it is about. */
export type Reported = { userId: UserId; conversationId?: ConversationId; seq?: number };

/** One wish to report, whose repeat makes no second report [RP-5]; with other words it is another one. */
export class Reporting {
  readonly #lend: Lend;
  readonly #reported: Reported;
  readonly #mint = new KeyMint(NOTHING_STORED);
  #said = "";
  #key: IdempotencyKey | null = null;

  constructor(lend: Lend, reported: Reported) {
    this.#lend = lend;
    this.#reported = reported;
  }

  async send(reason: ReportWish["reason"], note: string): Promise<Result<null, ErrorCode>> {
    const { userId, conversationId, seq } = this.#reported;
    const said = JSON.stringify([reason, note]);
    if (said !== this.#said || !this.#key) this.#key = this.#mint.mint(Date.now(), null);
    this.#said = said;
    const about = conversationId === undefined || seq === undefined ? {} : { conversationId, seqs: [seq] };
    const body = { idempotencyKey: this.#key, userId, ...about, reason, ...(note ? { note } : {}) };
    const answer = await this.#lend.call("report", { body });
    return answer.ok ? ok(null) : answer;
  }
}
