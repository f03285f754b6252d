import { decodeTime } from "ulid";
import {
  advanced,
  failed,
  isSettled,
  isSettling,
  newPlan,
  type Piece,
  type Plan,
  UPLOAD_OVER_MS,
} from "../domain/erasure.ts";
import { CALL_WINDOW, mapWindowed, tryCall } from "../platform/calls.ts";
import { directId } from "../platform/conversation-ids.ts";
import type { Env } from "../platform/env.ts";
import { shardDatabase } from "../platform/history-shards.ts";
import { log } from "../platform/log.ts";
import { abortUploads } from "../platform/media/parts.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import type { Erasure, Tally } from "../protocol/http.ts";
import type { ConversationId, UserId } from "../protocol/ids.ts";
import { accountById } from "../storage/directory.ts";
import {
  closeErasure,
  directoryRemains,
  eraseAccount,
  eraseOthers,
  handleHashOf,
  historyRemains,
  noteErasure,
  othersOf,
} from "../storage/erasures.ts";
import type { InboxStore } from "../storage/inbox-store.ts";
import { eraseMediaRows, mediaOfUser, objectsOfOtherUsers } from "../storage/media.ts";
import { reach } from "../storage/reach.ts";
import type { AlarmClock } from "./alarm-clock.ts";
import type { ErasedHere } from "./rpc.ts";

/** People, conversations and media of one piece. A piece makes at most some hundred calls. */
const PIECE = 50;
/** Pieces of one alarm; then it rings again at once, with a new count of calls. */
const PIECES = 40;
/** Calls of one conversation for one piece; each takes away some thousand events. */
const CALLS = 20;

type Parts = { store: InboxStore; clock: AlarmClock; storage: DurableObjectStorage };

/** Carries out the erasure of this inbox's user: a piece at a time, each written down before the next. */
export class Eraser {
  private readonly env: Env;
  private readonly parts: Parts;

  constructor(env: Env, parts: Parts) {
    this.env = env;
    this.parts = parts;
  }

  /** The plan, its alarm and the end of all pushes in one turn, so that a crash leaves all or none. */
  begin(record: Erasure, now: number): void {
    const { store, clock } = this.parts;
    const plan = store.erasure ?? newPlan(record, now);
    const endpoints = [...store.subscriptions().keys()];
    for (const deviceId of endpoints) store.dropSubscription(deviceId);
    const pushEndpoints = (plan.counts.pushEndpoints ?? 0) + endpoints.length;
    if (!store.erasure || endpoints.length > 0)
      store.setErasure({ ...plan, counts: { ...plan.counts, pushEndpoints } });
    clock.ringBy(Math.max(plan.dueAt, now), now);
  }

  /** Does what is due, and rings for the rest. Never throws: after six throws the platform would never ring again. */
  async run(): Promise<void> {
    const { store, clock } = this.parts;
    try {
      for (let pieces = 0; pieces < PIECES && this.isDue(); pieces++) await this.take(store.erasure as Plan);
    } catch (error) {
      log.error("erasure_failed", { error }); // not even that it failed could be written down
    }
    const now = Date.now();
    if (store.erasure) clock.ringBy(Math.max(store.erasure.dueAt, now), now);
  }

  private isDue(): boolean {
    const plan = this.parts.store.erasure;
    return plan !== undefined && plan.dueAt <= Date.now();
  }

  private async take(plan: Plan): Promise<void> {
    const { store } = this.parts;
    try {
      if (plan.step === "close") return await this.close(plan);
      const next = advanced(plan, await this.piece(plan), Date.now());
      if (next.step !== plan.step) await noteErasure(this.env.DIRECTORY, next, isSettling(next));
      store.setErasure(next);
    } catch (error) {
      log.warn("erasure_delayed", { userId: plan.userId, step: plan.step, error }); // [ER-5]
      const later = failed(store.erasure ?? plan, Date.now(), Math.random());
      if (store.erasure) store.setErasure(later);
    }
  }

  private piece(plan: Plan): Promise<Piece> {
    switch (plan.step) {
      case "account":
        return this.account(plan);
      case "people":
        return this.people(plan);
      case "conversations":
        return this.conversations(plan);
      case "media":
        return this.media(plan);
      case "look":
        return this.look(plan);
      case "close":
        throw new Error("closing is no piece");
    }
  }

  private async account({ userId }: Plan): Promise<Piece> {
    const account = await accountById(this.env.DIRECTORY, userId);
    await eraseAccount(this.env.DIRECTORY, userId, account ? await handleHashOf(account.handle) : null);
    return { cursor: null };
  }

  /** [ER-10] The copies first: once the row is gone nobody would know whom to tell. Who cannot be reached is asked again in the next round. */
  private async people({ userId, cursor }: Plan): Promise<Piece> {
    const others = await othersOf(this.env.DIRECTORY, userId, cursor, PIECE);
    const told = await mapWindowed(others, CALL_WINDOW, ({ otherId }) => this.forgotten(userId, otherId));
    for (const { otherId, blocked } of others) if (blocked) await this.list(await directId(userId, otherId));
    const reached = others.filter((_, i) => told[i]).map(({ otherId }) => otherId);
    await eraseOthers(this.env.DIRECTORY, userId, reached);
    const news = Date.now();
    await mapWindowed(reached, CALL_WINDOW, (id) =>
      tryCall(async () => await inboxOf(this.env, id).hearContacts(news), 1),
    );
    return { cursor: last(others)?.otherId ?? null, counts: { copies: reached.length } };
  }

  private async forgotten(userId: UserId, otherId: UserId): Promise<boolean> {
    return (await tryCall(async () => await inboxOf(this.env, otherId).forget(userId))).ok;
  }

  /** A conversation that a block has opened is in nobody's index. */
  private async list(id: ConversationId): Promise<void> {
    if (this.parts.store.position(id) === undefined) this.parts.store.touch(id);
  }

  private next(cursor: string): { conversationId: ConversationId; position: number }[] {
    return this.parts.store.changedPast(Number(cursor)).slice(0, PIECE);
  }

  private async conversations({ userId, cursor }: Plan): Promise<Piece> {
    const rows = this.next(cursor);
    const erased = await mapWindowed(rows, CALL_WINDOW, ({ conversationId }) =>
      this.conversation(userId, conversationId),
    );
    const sums: Partial<Tally> = {};
    for (const here of erased) {
      if (!here) continue;
      sums.conversations = (sums.conversations ?? 0) + 1;
      for (const [what, n] of Object.entries(here.counts)) add(sums, what as keyof Tally, n);
    }
    return { cursor: cursorOf(rows), sums };
  }

  /** Null: it did not answer, or has more than one piece can hold; the re-scan finds it. */
  private async conversation(userId: UserId, id: ConversationId): Promise<ErasedHere | null> {
    for (let call = 0; call < CALLS; call++) {
      const answer = await tryCall(() => conversationOf(this.env, id).erase(userId));
      if (!answer.ok || !answer.value.ok) return null;
      const here = answer.value.value;
      const told = await mapWindowed(here.others, CALL_WINDOW, (otherId) => this.forgotten(userId, otherId));
      if (here.done) return told.includes(false) ? null : here;
    }
    return null;
  }

  /** [ER-12] The bytes go at once. A row stays while a signed URL may still bring bytes to its place, for it says where that is. */
  private async media({ userId, cursor }: Plan): Promise<Piece> {
    const rows = await mediaOfUser(this.env.DIRECTORY, userId, cursor, PIECE);
    if (rows.length === 0) return { cursor: null };
    const keys = [...new Set(rows.map(({ objectKey }) => objectKey))];
    const shared = await objectsOfOtherUsers(this.env.DIRECTORY, keys, userId); // [MD-12]
    const alone = keys.filter((key) => !shared.has(key));
    await abortUploads(this.env, alone); // [MD-21]
    const heads = await mapWindowed(alone, CALL_WINDOW, (key) => reach("media", () => this.env.MEDIA.head(key)));
    const there = heads.flatMap((head) => head?.key ?? []);
    if (there.length > 0) await reach("erase bytes", () => this.env.MEDIA.delete(there));
    const isOver = (id: string) => decodeTime(id) <= Date.now() - UPLOAD_OVER_MS;
    const ids = rows.map(({ mediaId }) => mediaId);
    const rest = { over: ids.filter(isOver), young: ids.filter((id) => !isOver(id)) };
    await eraseMediaRows(this.env.DIRECTORY, userId, rest);
    return { cursor: ids.at(-1) ?? null, counts: { bucketObjects: there.length } };
  }

  /** [ER-7] Asks every store what is left. */
  private async look(plan: Plan): Promise<Piece> {
    const { userId, cursor } = plan;
    const rows = this.next(cursor);
    const left = await mapWindowed(rows, CALL_WINDOW, ({ conversationId }) => this.leftIn(userId, conversationId));
    const found: Partial<Tally> = {};
    const directory = rows.length === 0 ? await directoryRemains(this.env.DIRECTORY, userId, isSettled(plan)) : {};
    for (const part of [...left, directory])
      for (const [what, n] of Object.entries(part)) add(found, what as keyof Tally, n);
    return { cursor: cursorOf(rows), found };
  }

  private async leftIn(userId: UserId, id: ConversationId): Promise<Partial<Tally>> {
    const answer = await tryCall(() => conversationOf(this.env, id).leftOf(userId));
    if (!answer.ok) return { unreached: 1 };
    if (!answer.value.ok) return {}; // nobody has opened it, or they never were in it
    const { left, shard } = answer.value.value;
    const database = shard === "" ? undefined : shardDatabase(this.env, shard);
    if (!database) return shard === "" ? left : { ...left, unreached: 1 };
    const { historyRows, searchEntries } = await historyRemains(database, id, userId);
    return { ...left, historyRows: historyRows + (left.historyRows ?? 0), searchEntries };
  }

  /** [ER-8] The record says done last, so that whatever is cut short is begun anew by the hourly look, on an inbox that is empty by then. */
  private async close(plan: Plan): Promise<void> {
    const { store, clock, storage } = this.parts;
    const inboxRows = (plan.counts.inboxRows ?? 0) + store.rowCount();
    await noteErasure(this.env.DIRECTORY, { ...plan, counts: { ...plan.counts, inboxRows } }, true);
    await clock.stop();
    await storage.deleteAll();
    store.forgetAll();
    await closeErasure(this.env.DIRECTORY, plan.userId, Date.now());
    log.info("erased", { userId: plan.userId, rounds: plan.rounds });
  }
}

const last = <T>(items: readonly T[]): T | undefined => (items.length === PIECE ? items.at(-1) : undefined);
const cursorOf = (rows: readonly { position: number }[]): string | null => {
  const position = rows.at(-1)?.position;
  return position === undefined ? null : `${position}`;
};
function add(sum: Partial<Tally>, what: keyof Tally, n: number): void {
  sum[what] = (sum[what] ?? 0) + n;
}
