import { conversationIds, heldOf, type ReplicaState } from "../src/sdk/drawing.ts";
import type { Lend } from "./doors.ts";
import { clearRung, isSubscribed, type Pushing, renewSubscription, subscribe, unsubscribe } from "./push.ts";
import type { ConversationId, DeviceId } from "./wire.ts";

const PROBLEM: Record<Exclude<Pushing, "on" | "off">, string> = {
  blocked: "The browser does not allow it: change that in its settings for this page.",
  unsupported: "This browser cannot. On an iPhone, put the page on the home screen first.",
  not_offered: "This server does not push.",
  failed: "That did not work just now. Try again later.",
};

/** Whether this device rings while no page of it is open. */
export class Bell {
  readonly #deviceId: DeviceId;
  readonly #lend: Lend;
  isOn = false;
  /** Up to which seq what rang has been taken down. */
  readonly #hushed = new Map<ConversationId, number>();

  constructor(deviceId: DeviceId, lend: Lend) {
    this.#deviceId = deviceId;
    this.#lend = lend;
  }

  /** Once, when the page starts. */
  async start(): Promise<void> {
    await renewSubscription(this.#deviceId, this.#lend);
    this.isOn = await isSubscribed(this.#deviceId);
  }

  /** To be called from a click. Answers what is in the way, for a person; null: nothing. */
  async turn(on: boolean): Promise<string | null> {
    const is: Pushing = on
      ? await subscribe(this.#deviceId, this.#lend)
      : await unsubscribe(this.#deviceId, this.#lend);
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
}
