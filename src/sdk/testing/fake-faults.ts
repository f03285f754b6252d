import { type Holds, holdAt, mayPass, refuseAt, releaseAt } from "../../domain/lane.ts";
import type { ClientFrame, ServerFrame } from "../../protocol/frames.ts";
import type { ConversationId, DeviceId } from "../../protocol/ids.ts";
import { isRetryable } from "../client/errors.ts";
import type { DoorName, ErrorCode } from "../client/wire.ts";

export type Refusal = { code: ErrorCode; retryAfterMs: number | undefined };
/** Where an export breaks off, and whether it looks as if it had ended there. */
export type Cut = { readonly afterLines: number; readonly ends: boolean };
/** What can be refused: a door, or a frame that is answered. */
export type Refusable = DoorName | "hello" | "pull" | "watch";

/** What a test wants to go wrong next, each once. */
export class FakeFaults {
  readonly #refusals = new Map<Refusable, Refusal[]>();
  readonly #lost: DoorName[] = [];
  readonly #cutExports: Cut[] = [];
  #cutBefore: ServerFrame["type"] | null = null;
  /** What was refused for now, and must come again before anything newer of its device. [SD-2] */
  readonly #holds = new Map<ConversationId, Holds>();

  refuse(what: Refusable, refusal: Refusal): void {
    this.#refusals.set(what, [...(this.#refusals.get(what) ?? []), refusal]);
  }
  takeRefusal(what: Refusable): Refusal | undefined {
    return this.#refusals.get(what)?.shift();
  }

  refusalOf(deviceId: DeviceId, frame: ClientFrame): Refusal | undefined {
    const wanted = this.takeRefusal(frame.type as Refusable);
    if (frame.type !== "send") return wanted;
    const { conversationId, idempotencyKey } = frame;
    const [wish, now] = [{ deviceId, idempotencyKey }, Date.now()];
    const holds: Holds = this.#holds.get(conversationId) ?? new Map();
    if (!mayPass(holds, wish, now)) {
      this.#holds.set(conversationId, refuseAt(holds, wish, now));
      return wanted ?? { code: "unavailable", retryAfterMs: undefined };
    }
    const isOpen = wanted !== undefined && isRetryable(wanted.code);
    this.#holds.set(conversationId, isOpen ? holdAt(holds, [wish], now) : releaseAt(holds, wish));
    return wanted;
  }

  /** The next answer of this door is lost. */
  lose(door: DoorName): void {
    this.#lost.push(door);
  }
  takeLost(door: DoorName): boolean {
    const i = this.#lost.indexOf(door);
    if (i >= 0) this.#lost.splice(i, 1);
    return i >= 0;
  }

  cutExport(cut: Cut): void {
    this.#cutExports.push(cut);
  }
  takeCut(): Cut | undefined {
    return this.#cutExports.shift();
  }

  /** The socket goes instead of saying this. */
  cutBefore(frame: ServerFrame["type"]): void {
    this.#cutBefore = frame;
  }
  takesSocket(frame: ServerFrame["type"]): boolean {
    if (this.#cutBefore !== frame) return false;
    this.#cutBefore = null;
    return true;
  }
}
