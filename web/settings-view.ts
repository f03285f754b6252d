import { ERRORS } from "../src/protocol/errors.ts";
import { type Privacy, Visibility } from "../src/protocol/states.ts";
import type { Live } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import type { Bell } from "./bell.ts";
import { byId, setText } from "./dom.ts";

const NAMES = { everyone: "Everybody", contacts: "My contacts", nobody: "Nobody" } as const;
const FIELDS = { lastSeen: "privacy-last-seen", readReceipts: "privacy-read" } as const;
type Field = keyof typeof FIELDS;
const fields = Object.keys(FIELDS) as Field[];

/** The person's settings: who sees what of them, and whether this device rings. */
export class SettingsView {
  readonly #tokens: Tokens;
  readonly #bell: Bell;
  readonly #onBell: () => void;
  readonly #dialog = byId("settings", HTMLDialogElement);
  readonly #ring = byId("push-on", HTMLInputElement);
  #told: Live["profile"] = null;

  constructor(tokens: Tokens, bell: Bell, onBell: () => void) {
    this.#tokens = tokens;
    this.#bell = bell;
    this.#onBell = onBell;
    byId("settings-open", HTMLButtonElement).onclick = () => void this.#open();
    byId("settings-close", HTMLButtonElement).onclick = () => this.#dialog.close();
    this.#ring.onchange = () => void this.#turn();
    for (const field of fields) {
      const select = this.#select(field);
      select.replaceChildren(...Visibility.options.map((option) => new Option(NAMES[option], option)));
      select.onchange = () => void this.#change({ [field]: select.value });
    }
  }

  #select(field: Field): HTMLSelectElement {
    return byId(FIELDS[field], HTMLSelectElement);
  }

  async #open(): Promise<void> {
    this.#problem("");
    this.#ring.checked = this.#bell.isOn;
    for (const field of fields) this.#select(field).disabled = true;
    this.#dialog.showModal();
    const answer = await this.#tokens.call("me");
    if (answer.ok) this.#show(answer.value.privacy);
    else this.#problem(ERRORS[answer.code].title);
  }

  /** Another device of the person has changed them meanwhile: told once, so that it is not shown over what was changed here since. */
  draw({ profile }: Live): void {
    if (profile && profile !== this.#told && this.#dialog.open) this.#show(profile.privacy);
    this.#told = profile;
  }

  #show(privacy: Privacy): void {
    for (const field of fields) {
      this.#select(field).disabled = false;
      this.#select(field).value = privacy[field];
    }
  }

  async #change(privacy: Partial<Record<Field, string>>): Promise<void> {
    const answer = await this.#tokens.call("changeMe", { body: { privacy } });
    if (answer.ok) this.#show(answer.value.privacy);
    this.#problem(answer.ok ? "" : ERRORS[answer.code].title);
  }

  async #turn(): Promise<void> {
    this.#ring.disabled = true;
    this.#problem((await this.#bell.turn(this.#ring.checked)) ?? "");
    this.#ring.disabled = false;
    this.#ring.checked = this.#bell.isOn;
    this.#onBell();
  }

  #problem(text: string): void {
    setText(byId("settings-problem", HTMLElement), text);
  }
}
