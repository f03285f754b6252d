import { type Signal, signal } from "@preact/signals";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import type { ConversationId } from "../../src/protocol/ids.ts";
import type { Tokens } from "../accounts.ts";
import { isCount } from "../checks.ts";
import { hearListed, hearNews, type News, NO_NEWS, newsIn, withStars } from "../news.ts";
import { readJson } from "../storage.ts";

/** [AP-21] My stars and who waits to be let in, as the server told last; kept past a reload, and gone with the device. */
export class Told {
  readonly all: Signal<News>;
  /** Goes up when my contacts have changed. */
  readonly contactsVersion = signal(0);
  readonly #key: string;
  readonly #lend: Pick<Tokens, "call">;
  #isKept: boolean;
  #isTold = false;

  constructor(deviceId: string, lend: Pick<Tokens, "call">) {
    this.#key = `edgewise.device.${deviceId}.news`;
    this.#lend = lend;
    const kept = newsIn(readJson(this.#key));
    this.#isKept = kept !== null;
    this.all = signal(kept ?? NO_NEWS);
  }

  starsOf(id: ConversationId): readonly number[] {
    return this.all.value.starred[id] ?? [];
  }
  waitingIn(id: ConversationId): number {
    return this.all.value.waiting[id] ?? 0;
  }

  hear(frame: ServerFrame): void {
    this.#isTold = true;
    if (frame.type === "self" && isCount(frame.contactsVersion, this.contactsVersion.peek() + 1))
      this.contactsVersion.value = frame.contactsVersion;
    this.#become(hearNews(this.all.peek(), frame));
  }

  /** Which messages of the conversation I have starred, as this device has just changed it. */
  starred(id: ConversationId, seq: number, on: boolean): void {
    const others = (this.all.peek().starred[id] ?? []).filter((each) => each !== seq);
    this.#become(withStars(this.all.peek(), id, on ? [...others, seq] : others));
  }

  /** A device that kept nothing of it asks once, and then is told; one that nobody tells asks each time. */
  async catchUp(): Promise<void> {
    if (this.#isKept && this.#isTold) return;
    let news = NO_NEWS;
    let cursor: string | undefined;
    do {
      const answer = await this.#lend.call("conversations", {
        query: { limit: "100", ...(cursor === undefined ? {} : { cursor }) },
      });
      if (!answer.ok) return;
      news = hearListed(news, answer.value.conversations);
      cursor = answer.value.cursor;
    } while (cursor !== undefined);
    this.#isKept = true;
    this.#become(news, true);
  }

  #become(news: News, anyway = false): void {
    if (news === this.all.peek() && !anyway) return;
    this.all.value = news;
    if (!this.#isKept) return;
    try {
      localStorage.setItem(this.#key, JSON.stringify(news));
    } catch {
      // no room: it is kept as long as the page
    }
  }
}
