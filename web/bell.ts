import type { ConversationId, DeviceId } from "../src/protocol/ids.ts";
import { conversationIds, heldOf, type ReplicaState } from "../src/sdk/index.ts";
import type { Tokens } from "./accounts.ts";
import { clearRung, isSubscribed, type Pushing, renewSubscription, subscribe, unsubscribe } from "./push.ts";

const PROBLEM: Record<Exclude<Pushing, "on" | "off">, string> = {
  blocked: "The browser does not allow it: change that in its settings for this page.",
  unsupported: "This browser cannot. On an iPhone, put the page on the home screen first.",
  not_offered: "This server does not push.",
  failed: "That did not work just now. Try again later.",
};

/** Whether this device rings while no page of it is open. */
export class Bell {
  readonly #deviceId: DeviceId;
  readonly #tokens: Tokens;
  isOn = false;
  /** Up to which seq what rang has been taken down. */
  readonly #hushed = new Map<ConversationId, number>();

  constructor(deviceId: DeviceId, tokens: Tokens) {
    this.#deviceId = deviceId;
    this.#tokens = tokens;
  }

  /** Once, when the page starts. */
  async start(): Promise<void> {
    const token = await this.#token();
    if (token) await renewSubscription(this.#deviceId, token);
    this.isOn = await isSubscribed(this.#deviceId);
  }

  /** To be called from a click. Answers what is in the way, for a person; null: nothing. */
  async turn(on: boolean): Promise<string | null> {
    const token = await this.#token();
    const is = on ? await this.#turnOn(token) : await unsubscribe(this.#deviceId, token);
    this.isOn = await isSubscribed(this.#deviceId);
    return is === "on" || is === "off" ? null : PROBLEM[is];
  }

  /** Takes down what rang for messages that have been read meanwhile, here or on another device. */
  hush(state: ReplicaState): void {
    if (!this.isOn) return;
    for (const id of conversationIds(state)) {
      const { read } = heldOf(state, id);
      if ((this.#hushed.get(id) ?? 0) >= read) continue;
      this.#hushed.set(id, read);
      void clearRung(id, read).catch(() => {}); // it may stay: reading goes on
    }
  }

  /** The device is signed out: nothing of it stays in the browser. */
  async forget(): Promise<void> {
    await unsubscribe(this.#deviceId, null).catch(() => {});
  }

  async #turnOn(token: string | null): Promise<Pushing> {
    return token === null ? "failed" : subscribe(this.#deviceId, token);
  }

  async #token(): Promise<string | null> {
    const token = await this.#tokens.fresh();
    return token === "signed_out" ? null : token;
  }
}
