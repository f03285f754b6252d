import { type Stage, shedAt, sheds } from "../domain/shedding.ts";
import type { ConversationId } from "../protocol/ids.ts";
import type { Load } from "./load.ts";
import type { Sockets } from "./sockets.ts";

/** [OV-3] What is left out for this user just now, by their inbox or by conversations; devices are told whenever it changes. */
export class Burden {
  private readonly own: Load;
  private readonly sockets: Sockets;
  private readonly recovered: (now: number) => void;
  private before: Stage = 0;
  private readonly conversations = new Map<ConversationId, Stage>();
  private told: Stage = 0;

  /** `recovered`: the inbox itself takes receipts again. */
  constructor(own: Load, sockets: Sockets, recovered: (now: number) => void) {
    this.own = own;
    this.sockets = sockets;
    this.recovered = recovered;
  }

  /** The inbox's own. */
  stage(now: number): Stage {
    const stage = this.own.stage(now);
    const hasRecovered = sheds(this.before, "receipts") && !sheds(stage, "receipts");
    this.before = stage;
    this.tellIfChanged(stage, now);
    if (hasRecovered) this.recovered(now);
    return stage;
  }

  hear(conversationId: ConversationId, stage: Stage, now: number): void {
    if (stage === 0 && !this.conversations.has(conversationId)) return;
    if (stage > 0) this.conversations.set(conversationId, stage);
    else this.conversations.delete(conversationId);
    this.stage(now);
  }

  /** Told anew: this inbox may have forgotten what it had told. */
  eased(conversationId: ConversationId, now: number): void {
    this.conversations.delete(conversationId);
    this.told = -1;
    this.stage(now);
  }

  private tellIfChanged(own: Stage, now: number): void {
    const stage = Math.max(own, ...this.conversations.values());
    if (stage === this.told) return;
    this.told = stage;
    this.sockets.tellAll({ type: "degraded", shed: shedAt(stage) }, now);
  }
}
