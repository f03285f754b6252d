import { resumeFrom } from "../domain/changes.ts";
import { daysToMs } from "../domain/life.ts";
import { showsPerson } from "../domain/presence.ts";
import { sheds } from "../domain/shedding.ts";
import { ask } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { log } from "../platform/log.ts";
import { describeRefusal } from "../platform/problem.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { pageText } from "../protocol/frame-text.ts";
import type { ClientFrame, Summary } from "../protocol/frames.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, type Refusal, refuse } from "../protocol/result.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import type { Burden } from "./burden.ts";
import type { ChangeIndex } from "./change-index.ts";
import type { FrameGate } from "./frame-gate.ts";
import { greet } from "./greeter.ts";
import type { Holdings } from "./holdings.ts";
import type { OwnReceipts } from "./own-receipts.ts";
import type { OwnTyping } from "./own-typing.ts";
import type { Presence } from "./presence.ts";
import { type ReadFrame, readFrame } from "./read-frame.ts";
import type { Outcome } from "./rpc.ts";
import type { Sender } from "./sender.ts";
import type { Sockets } from "./sockets.ts";
import type { Watching } from "./watching.ts";

type Of<T extends ClientFrame["type"]> = Extract<ClientFrame, { type: T }>;

type Parts = {
  store: InboxStore;
  sockets: Sockets;
  index: ChangeIndex;
  gate: FrameGate;
  holdings: Holdings;
  sender: Sender;
  receipts: OwnReceipts;
  presence: Presence;
  watching: Watching;
  typing: OwnTyping;
  burden: Burden;
};

/** Where frames come in: counted, parsed, and each answered in the one way that its type has. */
export class FrameDoor {
  private readonly env: Env;
  private readonly parts: Parts;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  async take(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const { sockets } = this.parts;
    const now = Date.now();
    sockets.heard(socket, now);
    if (sockets.of(socket).expiresAt <= now) return sockets.close(socket, "token_expired"); // [SO-4]
    if (this.parts.store.isRevoked(sockets.of(socket).deviceId)) return sockets.close(socket, "signed_out"); // [ER-4] it was on its way
    const read = readFrame(message);
    if (!this.admit(socket, read, now)) return;
    if (!read.ok) return this.refuse(socket, read.id, read);
    try {
      await this.handle(socket, read.value, now);
    } catch (error) {
      log.error("frame_failed", { type: read.value.type, error });
      this.refuse(socket, read.value.id, refuse("internal"));
    }
  }

  private admit(socket: WebSocket, read: ReadFrame, now: number): boolean {
    const { sockets, gate, sender } = this.parts;
    const { deviceId } = sockets.of(socket);
    const frame = read.ok ? read.value : undefined;
    const verdict = gate.count(deviceId, now, frame);
    if (verdict === "pass") return true;
    if (frame?.type === "send") sender.turnAway(frame.conversationId, { deviceId, ...frame });
    if (verdict === "cut") sockets.close(socket, "out_of_step");
    else this.refuse(socket, read.ok ? read.value.id : read.id, refuse("rate_limited"));
    return false;
  }

  private async handle(socket: WebSocket, frame: ClientFrame, now: number): Promise<void> {
    if (frame.type === "hello") return this.hello(socket, frame, now);
    if (this.parts.sockets.of(socket).from === null) return this.refuse(socket, frame.id, refuse("hello_required")); // [SO-1]
    if (showsPerson(frame)) this.parts.presence.comeForward(socket, now);
    if (frame.type === "send") return this.send(socket, frame);
    if (frame.type === "pull") return this.pull(socket, frame);
    if (frame.type === "receipt") return this.receipt(socket, frame, now);
    if (frame.type === "watch") return this.watch(socket, frame, now);
    if (frame.type === "typing") return this.typing(socket, frame, now);
    // What a `cursor` frame says the next hello says again: it is only heard early where somebody waits for it.
    this.parts.holdings.confirmed(socket, frame.cursor);
  }

  private refuse(socket: WebSocket, id: number | undefined, refusal: Refusal<ErrorCode>): void {
    const { code, detail, retryable, retryAfterMs } = describeRefusal(refusal);
    const told = { type: "error" as const, ...named(id), code, detail, retryable };
    this.parts.sockets.send(socket, retryAfterMs === undefined ? told : { ...told, retryAfterMs });
  }

  private async hello(socket: WebSocket, frame: Of<"hello">, now: number): Promise<void> {
    const { store, sockets, presence, holdings } = this.parts;
    if (frame.version !== PROTOCOL_VERSION) return this.refuse(socket, frame.id, refuse("unsupported_version"));
    const { userId, deviceId, from: before } = sockets.of(socket);
    if (before !== null) return this.refuse(socket, frame.id, refuse("invalid_request", "hello was said before"));
    store.addDevice(deviceId);
    const { mode, from } = resumeFrom(frame.cursor, store);
    sockets.change(socket, { from, background: frame.background === true });
    sockets.replaceOthers(socket);
    presence.arrive(socket, now);
    holdings.arrived(socket, now);
    const keepMs = daysToMs(this.env.RETENTION_DAYS); // [LM-17]
    const told = { userId, deviceId, mode, serverTime: now, ...(keepMs > 0 ? { keepMs } : {}) };
    sockets.send(socket, { type: "welcome", ...named(frame.id), ...told });
    await this.catchUp(socket);
  }

  /** Lists what changed past the device's cursor. Done anew for a device whose greeting was cut short by an eviction. */
  async catchUp(socket: WebSocket): Promise<void> {
    const { store, sockets, index } = this.parts;
    const attend = (id: ConversationId, userId: UserId) => this.attend(id, userId);
    await greet(sockets.of(socket), store, attend, {
      changed: (conversations) => {
        const unsummed = conversations.filter((c) => !("head" in c)).map((c) => c.conversationId);
        sockets.sumUpLater(socket, unsummed);
        sockets.send(socket, { type: "changed", conversations });
      },
      caughtUp: (position) => index.handOut(socket, position, Date.now()),
    });
  }

  private async attend(id: ConversationId, userId: UserId): Promise<Outcome<Summary>> {
    const { receipts } = this.parts;
    const standing = await conversationOf(this.env, id).attend(userId, receipts.visit(id));
    return standing.ok ? ok(receipts.summaryOf(standing.value)) : standing;
  }

  /** [IX-5] What the greeting could not tell of a conversation is told before its first page. */
  private async sumUp(socket: WebSocket, id: ConversationId): Promise<Outcome<null>> {
    const { sockets } = this.parts;
    const { userId, unsummed } = sockets.of(socket);
    if (!unsummed.includes(id)) return ok(null);
    const summary = await ask(() => this.attend(id, userId));
    if (!summary.ok) return summary;
    sockets.change(socket, { unsummed: sockets.of(socket).unsummed.filter((other) => other !== id) });
    sockets.send(socket, { type: "changed", conversations: [summary.value] });
    return ok(null);
  }

  private async send(socket: WebSocket, { type: _, id, conversationId, ...wish }: Of<"send">): Promise<void> {
    const { sockets, sender, typing } = this.parts;
    const { userId, deviceId } = sockets.of(socket);
    typing.forget(deviceId);
    const outcome = await sender.send(conversationId, { userId, deviceId, ...wish });
    if (outcome.ok) sockets.send(socket, { type: "ack", ...named(id), ...outcome.value.ack });
    else this.refuse(socket, id, outcome);
  }

  private async pull(socket: WebSocket, { id, conversationId, after, limit }: Of<"pull">): Promise<void> {
    const { sockets, receipts } = this.parts;
    const { userId } = sockets.of(socket);
    const size = limit ?? LIMITS.historyPage;
    const summed = await this.sumUp(socket, conversationId);
    if (!summed.ok) return this.refuse(socket, id, summed);
    const visit = receipts.visit(conversationId);
    const page = await ask(() => conversationOf(this.env, conversationId).pull(userId, visit, after, size));
    if (!page.ok) return this.refuse(socket, id, page);
    const { bodies, ...ends } = page.value;
    sockets.sendText(socket, pageText(id, conversationId, bodies, ends));
  }

  private async receipt(socket: WebSocket, frame: Of<"receipt">, now: number): Promise<void> {
    const { delivered, read } = frame;
    const received = await this.parts.receipts.receive(socket, frame.conversationId, { delivered, read }, now);
    if (!received.ok) this.refuse(socket, frame.id, received);
  }

  private async watch(socket: WebSocket, { id, userIds }: Of<"watch">, now: number): Promise<void> {
    const users = await this.parts.watching.watch(socket, userIds, now);
    this.parts.sockets.send(socket, { type: "presence", ...named(id), users });
  }

  private typing(socket: WebSocket, { conversationId, active }: Of<"typing">, now: number): void {
    const { sockets, typing, burden } = this.parts;
    if (!sheds(burden.stage(now), "typing")) typing.set(sockets.of(socket), conversationId, active, now); // [OV-1]
  }
}

const named = (id: number | undefined): { id?: number } => (id === undefined ? {} : { id });
