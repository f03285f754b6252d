import { ERRORS } from "../src/protocol/errors.ts";
import type { EventReceipts, Trace } from "../src/protocol/http.ts";
import type { ConversationId, UserId } from "../src/protocol/ids.ts";
import { heldOf, type ReplicaState, timelineOf, wordsOf } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import { moment } from "./clock.ts";
import { byId, h, setText, syncChildren } from "./dom.ts";
import type { Naming } from "./naming.ts";
import { countsText, type Group, receiptGroups, traceLines } from "./way.ts";

type Shown = { id: ConversationId; seq: number };

/** What is known of the way of one of the person's own messages: who has it, since when, and why others have not. */
export class InfoView {
  readonly #tokens: Tokens;
  readonly #dialog = byId("info", HTMLDialogElement);
  readonly #trace = byId("info-trace", HTMLDetailsElement);
  #naming: Naming | null = null;
  #shown: Shown | null = null;
  #receipts: EventReceipts | null = null;
  #traced: Trace | null = null;
  /** The ticks at which it was asked last: it is asked again when they have changed. */
  #asOf = "";

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
    byId("info-close", HTMLButtonElement).onclick = () => this.#dialog.close();
    this.#trace.ontoggle = () => void this.#load();
  }

  open(state: ReplicaState, shown: Shown, me: UserId): void {
    const { events } = heldOf(state, shown.id);
    const lines = timelineOf(events, { me, wishes: [], now: Date.now() });
    const line = lines.find(({ event }) => event.seq === shown.seq);
    const event = line?.event;
    this.#shown = shown;
    this.#receipts = this.#traced = null;
    this.#asOf = "";
    this.#trace.open = false;
    setText(byId("info-text", HTMLElement), (line && wordsOf(line)) ?? "");
    setText(byId("info-sent", HTMLElement), event ? `Sent ${moment(event.occurredAt, Date.now())}` : "");
    this.#dialog.showModal();
  }

  draw(state: ReplicaState, naming: Naming): void {
    this.#naming = naming;
    if (!this.#dialog.open || !this.#shown) return;
    const asOf = JSON.stringify(heldOf(state, this.#shown.id).ticks);
    const isNew = asOf !== this.#asOf;
    this.#asOf = asOf;
    if (isNew) void this.#load();
    else this.#drawAnswers();
  }

  async #load(): Promise<void> {
    const shown = this.#shown;
    if (!shown || !this.#dialog.open) return;
    const params = { id: shown.id, seq: `${shown.seq}` };
    const [receipts, trace] = await Promise.all([
      this.#tokens.call("eventReceipts", { params }),
      this.#trace.open ? this.#tokens.call("trace", { params }) : null,
    ]);
    if (shown !== this.#shown) return;
    if (receipts.ok) this.#receipts = receipts.value;
    if (trace?.ok) this.#traced = trace.value;
    const refused = [receipts, trace].find((answer) => answer && !answer.ok);
    setText(byId("info-problem", HTMLElement), refused && !refused.ok ? ERRORS[refused.code].title : "");
    this.#drawAnswers();
  }

  #drawAnswers(): void {
    const naming = this.#naming;
    if (!naming) return;
    setText(byId("info-counts", HTMLElement), this.#receipts ? countsText(this.#receipts) : "");
    const groups = this.#receipts ? receiptGroups(this.#receipts) : [];
    const named = groups.map(({ title, people }) => ({ title, people: people.map((p) => personOf(p, naming)) }));
    syncChildren(byId("info-groups", HTMLElement), named, { keyOf: ({ title }) => title, drawingOf, draw: drawGroup });
    const lines = (this.#traced ? traceLines(this.#traced) : []).map(({ userId, ...line }) => {
      return { ...line, name: userId ? naming.handle(userId) : "The server" };
    });
    syncChildren(byId("info-lines", HTMLElement), lines, { keyOf: ({ name }) => name, drawingOf, draw: drawLine });
  }
}

const drawingOf = (item: object): string => JSON.stringify(item);

const personOf = ({ userId, at }: Group["people"][number], naming: Naming) => ({ name: naming.handle(userId), at });

function drawGroup({ title, people }: { title: string; people: ReturnType<typeof personOf>[] }): HTMLElement {
  const list = people.map(({ name, at }) => {
    return h("li", {}, h("span", {}, name), ...(at === null ? [] : [h("time", {}, moment(at, Date.now()))]));
  });
  return h("section", {}, h("h3", {}, title), h("ul", { class: "plain" }, ...list));
}

function drawLine({ name, state, steps }: { name: string; state: string; steps: string[] }): HTMLElement {
  const way = steps.map((step) => h("p", { class: "quiet" }, step));
  return h("li", {}, h("p", {}, h("strong", {}, name), ` ${state}`), ...way);
}
