import { ERRORS } from "../src/protocol/errors.ts";
import type { ConversationId } from "../src/protocol/ids.ts";
import type { Mine } from "../src/protocol/states.ts";
import { heldOf } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import { byId, h, setText, syncChildren } from "./dom.ts";
import type { Naming } from "./naming.ts";
import { ALWAYS_AT, durationText, isMuted, muteText, presenceText, RETENTIONS, typingText } from "./phrases.ts";
import type { Shell } from "./shell.ts";

type Wanted = { mutedUntil?: number | null; mentionsPierce?: boolean; pinned?: boolean; archived?: boolean };
const HOUR_MS = 3_600_000;

/** The head of the open conversation: what it is called, who types or is there, and what the person has set for it. */
export class HeaderView {
  readonly #shell: Shell;
  readonly #tokens: Tokens;
  readonly #retention = byId("retention", HTMLSelectElement);
  #id: ConversationId | null = null;

  constructor(shell: Shell, tokens: Tokens) {
    this.#shell = shell;
    this.#tokens = tokens;
    const inHours = (hours: number) => ({ mutedUntil: Math.round(shell.serverNow) + hours * HOUR_MS });
    this.#onClick("pin", ({ pinned }) => ({ pinned: !pinned }));
    this.#onClick("archive", ({ archived }) => ({ archived: !archived }));
    this.#onClick("mute-1", () => inHours(1));
    this.#onClick("mute-8", () => inHours(8));
    this.#onClick("mute-always", () => ({ mutedUntil: ALWAYS_AT }));
    this.#onClick("unmute", () => ({ mutedUntil: null }));
    const pierce = byId("mentions-pierce", HTMLInputElement);
    pierce.onchange = () => void this.#change({ mentionsPierce: pierce.checked });
    byId("clear", HTMLButtonElement).onclick = () => void this.#clear();
    this.#retention.onchange = () => void this.#keep(Number(this.#retention.value));
  }

  /** For the person alone, on all of their devices: each is told by the server. */
  async #clear(): Promise<void> {
    const id = this.#id;
    byId("mute-menu", HTMLElement).hidePopover();
    if (!id || !confirm("Remove all messages of this conversation, for you alone?")) return;
    const answer = await this.#tokens.call("clearConversation", { params: { id } });
    setText(byId("mine-problem", HTMLElement), answer.ok ? "" : ERRORS[answer.code].title);
  }

  /** For everybody: the note of it in the log tells whether it was taken. */
  async #keep(retentionMs: number): Promise<void> {
    const id = this.#id;
    if (!id) return;
    const answer = await this.#tokens.call("changeConversation", { params: { id }, body: { retentionMs } });
    setText(byId("mine-problem", HTMLElement), answer.ok ? "" : ERRORS[answer.code].title);
  }

  #drawRetention(id: ConversationId, naming: Naming): void {
    const ms = naming.retentionMs(id);
    const keeping = byId("keeping", HTMLElement);
    keeping.hidden = ms === 0;
    setText(keeping, ms > 0 ? `New messages disappear after ${durationText(ms)}` : "");
    this.#retention.disabled = !naming.maySetRetention(id);
    const offered = [...new Set([...RETENTIONS, ms])];
    syncChildren(this.#retention, offered, {
      keyOf: String,
      drawingOf: String,
      draw: (each) => h("option", { value: `${each}` }, each ? `disappear after ${durationText(each)}` : "stay"),
    });
    this.#retention.value = `${ms}`;
  }

  #onClick(id: string, wanted: (mine: Mine) => Wanted): void {
    byId(id, HTMLButtonElement).onclick = () => {
      byId("mute-menu", HTMLElement).hidePopover();
      if (this.#id) void this.#change(wanted(heldOf(this.#shell.state, this.#id).mine));
    };
  }

  async #change(wanted: Wanted): Promise<void> {
    const id = this.#id;
    if (!id) return;
    const answer = await this.#tokens.call("changeMine", { params: { id }, body: wanted });
    setText(byId("mine-problem", HTMLElement), answer.ok ? "" : ERRORS[answer.code].title);
    if (answer.ok) this.#shell.set(id, answer.value);
  }

  draw(id: ConversationId, naming: Naming): void {
    if (id !== this.#id) setText(byId("mine-problem", HTMLElement), "");
    this.#id = id;
    setText(byId("title", HTMLElement), naming.title(id));
    const typing = this.#typing(id, naming);
    const status = byId("status", HTMLElement);
    setText(status, typing || this.#presence(id, naming) || naming.members(id));
    status.classList.toggle("typing", typing !== "");
    this.#drawRetention(id, naming);
    this.#drawMine(heldOf(this.#shell.state, id).mine);
  }

  #typing(id: ConversationId, naming: Naming): string {
    const typists = this.#shell.live.typing.filter(({ conversationId }) => conversationId === id);
    const names = typists.map(({ userId }) => naming.handle(userId));
    return typingText(names, naming.isGroup(id));
  }

  #presence(id: ConversationId, naming: Naming): string {
    const peer = naming.peer(id);
    const presence = this.#shell.live.presence.find(({ userId }) => userId === peer);
    return presenceText(presence, Date.now());
  }

  #drawMine(mine: Mine): void {
    const now = this.#shell.serverNow;
    byId("pin", HTMLButtonElement).setAttribute("aria-pressed", `${mine.pinned}`);
    byId("archive", HTMLButtonElement).setAttribute("aria-pressed", `${mine.archived}`);
    const mute = byId("mute", HTMLButtonElement);
    mute.dataset.is = isMuted(mine, now) ? "muted" : "ringing";
    mute.title = muteText(mine, now) || "Mute";
    mute.setAttribute("aria-label", mute.title);
    setText(byId("mute-text", HTMLElement), muteText(mine, now) || "Mute this conversation");
    byId("unmute", HTMLElement).hidden = !isMuted(mine, now);
    byId("mentions-pierce", HTMLInputElement).checked = mine.mentionsPierce;
  }
}
