import type { Result } from "../../src/protocol/result.ts";
import type { Client, SessionState } from "../../src/sdk/client/index.ts";
import type { Bell } from "../bell.ts";
import { answered } from "../doors.ts";
import { forgetProfile, rememberErased, rememberTab } from "../profiles.ts";
import type { ErrorCode } from "../wire.ts";
import type { Drafts } from "./drafts.ts";
import { ask } from "./shows.ts";
import type { Takeout } from "./takeout.ts";

type Ports = {
  readonly client: Client;
  readonly profile: string;
  readonly handle: string;
  readonly bell: Bell;
  readonly drafts: Drafts;
  readonly takeout: Takeout;
};

/** How a session ends in this tab, whoever ends it, and what has to go from the browser then. */
export class Leaving {
  readonly #ports: Ports;
  #isLeaving = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    ports.client.on("session", (session) => this.#hear(session));
  }

  #hear(session: SessionState): void {
    if (session.is !== "signed_out") return;
    if (session.because === "signed_out")
      this.#gone(); // in another tab
    else if (session.because === "erased" && session.handle !== null)
      return; // its store is cleared first
    else if (session.because === "erased") void this.#erased();
    else void this.#ended(session.because === "revoked");
  }

  /** [AP-48] Asks first where something would be lost: what waits to be sent goes with the rest. */
  async signOut(): Promise<void> {
    const { outbox } = this.#ports.client.state.replica;
    const count = outbox.filter(({ standing }) => standing.is === "waiting").length;
    if (count === 0) return this.#signOut();
    const what = count === 1 ? "One message was" : `${count} messages were`;
    ask("Sign out all the same?", "Sign out", () => void this.#signOut(), `${what} not sent yet, and would be lost.`);
  }

  /**
   * Nothing of this device stays in the browser, also where the server does not answer: then its list of devices shows this one until
   * somebody ends it there.
   */
  async #signOut(): Promise<void> {
    const { client, bell } = this.#ports;
    this.#isLeaving = true;
    await bell.forget();
    await client.signOut();
    await client.close();
    this.#isLeaving = false;
    this.#gone();
  }

  /** [AP-30] With a wrong password nothing changes. Where it is done, the page goes as when any device of the person is told of it. */
  erase(password: string): Promise<Result<void, ErrorCode>> {
    return answered(this.#ports.client.erase({ password }));
  }

  /** [AP-31] What was on the screen goes from it, and the page begins anew where the person may sign in again. */
  async #ended(isRevoked: boolean): Promise<void> {
    if (this.#isLeaving) return;
    const { client, drafts, bell } = this.#ports;
    if (isRevoked) {
      drafts.forget();
      await bell.forget();
    }
    await client.flush();
    location.replace("/");
  }

  async #erased(): Promise<void> {
    rememberErased(this.#ports.handle);
    await this.#ports.bell.forget();
    this.#gone();
  }

  #gone(): void {
    if (this.#isLeaving) return;
    const { takeout, drafts, profile } = this.#ports;
    takeout.cancel();
    drafts.forget();
    forgetProfile(profile);
    rememberTab(null);
    location.replace("/");
  }
}
