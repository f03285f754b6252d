import type { Hono } from "hono";
import { eventPlace, mediaPlace, NO_LINES, placeOf, stillToCome } from "../domain/exporting.ts";
import { OF_A_PERSON } from "../domain/media.ts";
import type { Kept, Outcome } from "../objects/rpc.ts";
import { ask, tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { type AppEnv, mount } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { limitExport } from "../platform/rate-limit.ts";
import { meOf } from "../platform/sessions.ts";
import { conversationOf, inboxOf } from "../platform/stubs.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { ExportAfter, ExportCounts, ExportLine } from "../protocol/export.ts";
import { DOORS, type Profile } from "../protocol/http.ts";
import type { MediaId, UserId } from "../protocol/ids.ts";
import { LIMITS } from "../protocol/limits.ts";
import { ok, refuse } from "../protocol/result.ts";
import { blocksOf } from "../storage/blocks.ts";
import { contactsOf } from "../storage/contacts.ts";
import { allDevices } from "../storage/devices.ts";
import { accountById, identitiesOf, namesOf } from "../storage/directory.ts";
import type { Account } from "../storage/directory-schema.ts";
import { mediaById, mediaOfUser } from "../storage/media.ts";
import { reportsMadeBy } from "../storage/reports.ts";
import { readPage } from "./events.ts";

const MEDIA_PAGE = 200;
/** [EX-5] Subrequests of one answer; the platform allows 10,000 an invocation, and what is counted may be tried again. */
const CALLS = 6_000;
/** What a page of history asks at most: the conversation, the shard, and the conversation once more. */
const PAGE_CALLS = 3;
/** Tries of one question on top of those that each call makes by itself, and the time between them. Ms. */
const TRIES = 3;
const PAUSE_MS = 500;

/** Files with all that is a person's, made while they are sent. */
export function mountExports(app: Hono<AppEnv>): void {
  mount(app, DOORS.exportMe, async ({ env, caller, query }) =>
    answer(env, caller.userId, query.after, "unauthenticated"),
  );
  mount(app, DOORS.exportUser, async ({ env, params, query }) => answer(env, params.userId, query.after, "not_found"));
}

async function answer(env: Env, userId: UserId, after: ExportAfter | undefined, nobody: ErrorCode) {
  const limited = await limitExport(env, userId);
  if (!limited.ok) return limited;
  const account = await accountById(env.DIRECTORY, userId);
  if (!account) return refuse(nobody);
  const lines = new Export(env, account).lines(after);
  return new Response(streamOf(lines), {
    headers: {
      "content-type": "application/x-ndjson",
      "content-disposition": `attachment; filename="edgewise-${userId}.ndjson"`,
    },
  });
}

/** [EX-2] A piece is made when it is asked for, and none is kept: what the reader does not take is not read. */
function streamOf(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await lines.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await lines.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Something did not answer, however often it was asked. */
class Broken extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode) {
    super(code);
    this.code = code;
  }
}

/** One file. */
export class Export {
  private readonly env: Env;
  private readonly maxCalls: number;
  private readonly account: Account;
  private readonly userId: UserId;
  private readonly counts: ExportCounts = { ...NO_LINES };
  private calls = 0;
  /** Up to where the file is whole. */
  private place: ExportAfter | undefined;

  constructor(env: Env, account: Account, maxCalls = CALLS) {
    this.env = env;
    this.maxCalls = maxCalls;
    this.account = account;
    this.userId = account.userId;
  }

  /** Some whole lines at a time; the last one says whether the file is whole. */
  async *lines(after: ExportAfter | undefined): AsyncGenerator<string> {
    this.place = after;
    try {
      const manifest = {
        type: "manifest",
        format: "edgewise.export.1",
        userId: this.userId,
        exportedAt: Date.now(),
      } as const;
      yield this.line(after === undefined ? manifest : { ...manifest, after });
      const kept = await this.asked(() => tryCall(async () => await inboxOf(this.env, this.userId).kept()));
      if (after === undefined) yield* this.person(kept);
      const isWhole = (yield* this.conversations(kept, after)) && (yield* this.media(after));
      if (isWhole) yield this.line({ type: "end", counts: this.counts });
      else yield this.line({ type: "more", after: this.place as ExportAfter, counts: this.counts }); // [EX-5]
    } catch (error) {
      const code = error instanceof Broken ? error.code : "internal";
      log.warn("export_broken", { userId: this.userId, code, error });
      yield this.line({ type: "error", code, ...(this.place === undefined ? {} : { after: this.place }) }); // [EX-3]
    }
  }

  private line(line: ExportLine): string {
    if (line.type in this.counts) this.counts[line.type as keyof ExportCounts] += 1;
    return `${JSON.stringify(line)}\n`;
  }

  /** [EX-3] What could not be had is asked for again; in the end the file says so. */
  private async asked<T>(ask: () => Promise<Outcome<T>>): Promise<T> {
    for (let tries = 1; ; tries++) {
      this.calls += 1;
      const outcome = await ask().catch((): Outcome<T> => refuse("unavailable"));
      if (outcome.ok) return outcome.value;
      if (outcome.code !== "unavailable" || tries === TRIES) throw new Broken(outcome.code);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
    }
  }

  private read<T>(query: () => Promise<T>): Promise<T> {
    return this.asked(async () => ok(await query()));
  }

  /** [EX-1] What is theirs besides conversations and media. */
  private async *person({ subscriptions, lastSeenAt }: Kept): AsyncGenerator<string> {
    const { DIRECTORY } = this.env;
    const { userId } = this;
    const identities = await this.read(() => identitiesOf(DIRECTORY, userId));
    const seen = lastSeenAt === null ? {} : { lastSeenAt };
    const { avatarMediaId, ...me } = meOf(this.account);
    const picture = avatarMediaId && (await this.picture(avatarMediaId));
    yield this.line({ type: "profile", ...me, identities, ...seen, ...(picture ? { picture } : {}) });
    for (const { deviceId, name, createdAt, lastUsedAt, revokedAt } of await this.read(() =>
      allDevices(DIRECTORY, userId),
    ))
      yield this.line({
        type: "device",
        deviceId,
        name,
        createdAt,
        lastUsedAt,
        ...(revokedAt === null ? {} : { revokedAt }),
      });
    for (const contact of (await this.read(() => contactsOf(DIRECTORY, userId))).contacts)
      yield this.line({ type: "contact", ...withoutPicture(contact) });
    for (const block of await this.read(() => blocksOf(DIRECTORY, userId)))
      yield this.line({ type: "block", ...withoutPicture(block) });
    for (const report of await this.read(() => reportsMadeBy(DIRECTORY, userId)))
      yield this.line({ type: "report", ...report });
    for (const subscription of subscriptions) yield this.line({ type: "pushSubscription", ...subscription });
  }

  /** [EX-8] Undefined: it was replaced this moment. */
  private async picture(wanted: MediaId) {
    const row = await this.read(() => mediaById(this.env.DIRECTORY, wanted));
    if (!row) return undefined;
    const { mediaId, contentType, bytes, sha256 } = row;
    return { mediaId, contentType, bytes, sha256, href: hrefOf(mediaId) };
  }

  /** False: there is more than one answer may ask for. */
  private async *conversations(kept: Kept, after: ExportAfter | undefined): AsyncGenerator<string, boolean> {
    for (const { conversation, after: seq } of stillToCome(kept.conversations, placeOf(after))) {
      if (this.calls > this.maxCalls) return false;
      yield await this.conversation(conversation);
      this.place = eventPlace(conversation.conversationId, seq);
      if (!(yield* this.events(conversation.conversationId, seq))) return false;
    }
    return true;
  }

  private async conversation({ conversationId, mine, starred }: Kept["conversations"][number]): Promise<string> {
    const described = () => ask(() => conversationOf(this.env, conversationId).describe(this.userId));
    const known = await this.asked(described);
    const { kind, title, createdAt, floor, head, members, mine: standing } = known;
    const { role, delivered, read } = standing;
    const profiles = await this.read(() =>
      namesOf(
        this.env.DIRECTORY,
        members.map(({ userId }) => userId),
      ),
    );
    return this.line({
      ...{ type: "conversation", conversationId, kind, ...(title === undefined ? {} : { title }), createdAt },
      ...{ role, floor, head, delivered, read, mine, starred },
      members: members.map(({ userId, role }) => ({ userId, role, ...profiles.get(userId) })),
    });
  }

  private async *events(
    id: Kept["conversations"][number]["conversationId"],
    from: number,
  ): AsyncGenerator<string, boolean> {
    for (let after = from; ; ) {
      if (this.calls > this.maxCalls) return false;
      const wish = { after, limit: LIMITS.historyPage };
      const { bodies, hasMore } = await this.asked(() => readPage(this.env, id, this.userId, wish));
      this.calls += PAGE_CALLS - 1;
      if (bodies.length > 0) {
        this.counts.event += bodies.length;
        yield bodies.map((body) => `{"type":"event","event":${body}}\n`).join("");
        after = (JSON.parse(bodies.at(-1) as string) as { seq: number }).seq;
        this.place = eventPlace(id, after);
      }
      if (!hasMore) return true;
      if (bodies.length === 0) throw new Broken("internal"); // a page without events that has more would go on for ever
    }
  }

  private async *media(after: ExportAfter | undefined): AsyncGenerator<string, boolean> {
    const from = placeOf(after);
    let last = from.in === "media" ? from.mediaId : "";
    this.place = mediaPlace(last as MediaId | "");
    for (;;) {
      if (this.calls > this.maxCalls) return false;
      const rows = await this.read(() => mediaOfUser(this.env.DIRECTORY, this.userId, last, MEDIA_PAGE));
      for (const { mediaId, conversationId, contentType, bytes, sha256 } of rows) {
        last = mediaId;
        if (conversationId === OF_A_PERSON) continue; // [EX-8] the one that is shown is in the profile
        yield this.line({ type: "media", mediaId, conversationId, contentType, bytes, sha256, href: hrefOf(mediaId) });
        this.place = mediaPlace(mediaId);
      }
      if (rows.length < MEDIA_PAGE) return true;
    }
  }
}

const hrefOf = (mediaId: MediaId): string => DOORS.media.path.replace("{mediaId}", mediaId);
/** What others look like is theirs. */
const withoutPicture = <P extends Profile>({ avatarMediaId: _, ...person }: P): Omit<P, "avatarMediaId"> => person;
