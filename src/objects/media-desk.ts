import type { SendCommand } from "../domain/append.ts";
import { mediaOf, unfitness } from "../domain/media.ts";
import { tryCall } from "../platform/calls.ts";
import type { Env } from "../platform/env.ts";
import { isUploaded } from "../platform/media/media.ts";
import { conversationOf } from "../platform/stubs.ts";
import type { ConversationId, MediaId } from "../protocol/ids.ts";
import { AVATAR, claimMedia, claimOf, type MediaRow, mediaById, type WishClaim } from "../storage/media.ts";
import { Unavailable } from "../storage/reach.ts";

/** Claims remembered, for wishes that are sent again. */
const REMEMBERED = 256;

/** Sees to it that a user's messages refer to nothing but media that they uploaded for them. */
export class MediaDesk {
  private readonly env: Env;
  /** By media, the wish that has it, with all that was looked at. */
  private readonly claimed = new Map<MediaId, string>();

  constructor(env: Env) {
    this.env = env;
  }

  /** The wishes, marked where their media is unfit. Throws `Unavailable`. `now`: epoch ms. */
  async vet(conversationId: ConversationId, commands: SendCommand[], now: number): Promise<SendCommand[]> {
    const vetted: SendCommand[] = [];
    for (const command of commands) {
      const unfit = await this.unfit(conversationId, command, vetted, now);
      vetted.push(unfit === null ? command : { ...command, unfit });
    }
    return vetted;
  }

  private async unfit(
    conversationId: ConversationId,
    command: SendCommand,
    before: readonly SendCommand[],
    now: number,
  ): Promise<string | null> {
    const media = mediaOf(command.event);
    if (!media) return null;
    const { contentType, bytes } = media;
    const asked = [conversationId, command.deviceId, command.idempotencyKey, contentType, bytes].join(" ");
    if (this.claimed.get(media.mediaId) === asked) return null;
    const row = await mediaById(this.env.DIRECTORY, media.mediaId);
    const why = unfitness(row, { userId: command.userId, conversationId, media });
    if (why !== null || !row) return why ?? "unknown";
    if (!(await isUploaded(this.env, row))) return "not uploaded";
    const isTwice = before.some(({ event }) => mediaOf(event)?.mediaId === media.mediaId);
    if (isTwice || !(await this.claim(conversationId, row, command, now))) return "another message has it"; // [MD-9]
    this.remember(media.mediaId, asked);
    return null;
  }

  /** A wish that came to nothing under an old key has no claim. */
  private async claim(id: ConversationId, row: MediaRow, command: WishClaim, now: number): Promise<boolean> {
    const { deviceId, idempotencyKey } = command;
    const held = row.claim === null ? null : claimOf(row.claim);
    if (held === AVATAR) return false;
    const isOther = held !== null && (held.idempotencyKey !== idempotencyKey || held.deviceId !== deviceId);
    if (isOther && (await this.isSent(id, row.mediaId, held))) return false;
    return claimMedia(this.env.DIRECTORY, row.mediaId, { deviceId, idempotencyKey }, held, now);
  }

  private async isSent(id: ConversationId, mediaId: MediaId, claim: WishClaim): Promise<boolean> {
    const answer = await tryCall(() => conversationOf(this.env, id).showsMedia(mediaId, claim));
    if (!answer.ok) throw new Unavailable("media claim", new Error("the conversation did not answer"));
    return answer.value;
  }

  private remember(mediaId: MediaId, asked: string): void {
    if (this.claimed.size >= REMEMBERED) this.claimed.delete(this.claimed.keys().next().value as MediaId);
    this.claimed.set(mediaId, asked);
  }
}
