import type { DeviceId } from "../../protocol/ids.ts";
import type { Happening } from "../happenings.ts";
import type { Proof } from "./api.ts";
import type { Command } from "./commands.ts";
import type { Connection } from "./connection.ts";
import { EdgewiseError } from "./errors.ts";
import type { Sessions } from "./sessions.ts";
import { type ClientChange, profileIn } from "./state.ts";
import type { Store } from "./storage.ts";
import type { Profile, Session } from "./wire.ts";

/** What uploads keep, to be gone on with. */
const UPLOADS = "upload/";

type Ports = {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly connection: Connection;
  readonly tell: (happening: Happening, also: readonly ClientChange[]) => void;
  readonly flush: () => Promise<void>;
  /** Empties the store, and all that is shown. */
  readonly clear: () => Promise<void>;
  readonly onEntered: (profile: Profile) => void;
};

/** How a session begins on this device, the ways in which it ends, and what each leaves behind. */
export class SessionLife {
  readonly #ports: Ports;
  #isErasing = false;
  #burying: Promise<void> | null = null;

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** What an end that was told before left to be done: the tab that was about to do it may have died. */
  async finish(): Promise<void> {
    const { sessions } = this.#ports;
    if (sessions.wasErased) await this.#bury();
    else if (sessions.isRevoked) await this.#leave();
  }

  /** A device whose tokens are renewed no more, for whatever reason, has to be signed in again. [CL-44] */
  async token(force: boolean): Promise<string> {
    const { sessions } = this.#ports;
    return sessions.token(force).catch(async (error: unknown) => {
      if (error instanceof EdgewiseError && !error.retryable) await sessions.end("expired");
      throw error;
    });
  }

  /** The server hung up for good. */
  refused(): void {
    if (!this.#isErasing) void this.#end();
  }

  /** [CL-44] The server wants this device no more: all tabs are told, this one, too. */
  async #end(): Promise<void> {
    await this.#ports.sessions.end("revoked");
    await this.over();
  }

  /** [CL-57] The session is over, as this tab or another one was told. */
  async over(): Promise<void> {
    const { sessions, connection } = this.#ports;
    await sessions.load();
    if (sessions.state.is === "signed_in") return; // somebody has signed in since
    connection.tell({ type: "refused", why: "signed_out" });
    await this.finish();
  }

  /** [CL-57] At once, and not when somebody signs in: whoever has a lost device in their hands may never do that. */
  async #leave(): Promise<void> {
    const { store, sessions, tell, flush } = this.#ports;
    const deviceId = (sessions.owner?.deviceId ?? "") as DeviceId;
    tell({ type: "left", deviceId }, [{ type: "wiped" }]);
    const uploads = await store.read(UPLOADS);
    await store.write(uploads.map(([key]) => ({ key, value: undefined })));
    await flush();
  }

  /** [CL-56] The account is no more: nothing of it stays here. */
  #bury(): Promise<void> {
    const { sessions, clear } = this.#ports;
    const bury = async () => {
      await clear();
      sessions.forget("erased");
    };
    this.#burying ??= bury().finally(() => {
      this.#burying = null;
    });
    return this.#burying;
  }

  /** [CL-41] A store holds one device: what another person left is cleared before anything of this one is kept. */
  async enter({ door, body }: Extract<Command, { do: "enter" }>): Promise<void> {
    const { sessions, connection, clear, onEntered } = this.#ports;
    if (sessions.state.is === "signed_in") throw new EdgewiseError("forbidden", { detail: "sign out first" });
    const { value, serverTime } = await sessions.enter(door, body);
    const session: Session = value;
    const { owner } = sessions;
    const isSame = owner?.userId === session.user.userId && owner.deviceId === session.device.deviceId;
    if (owner && owner.userId !== session.user.userId) await clear();
    else if (owner && !isSame) await this.#leave(); // [CL-58] before what it sent would go out as another device
    await sessions.begin(session, serverTime);
    onEntered(profileIn(session.user));
    connection.tell({ type: "reset" });
  }

  /** [CL-41] Also where the server does not answer: then its list of devices shows this one until somebody revokes it. */
  async signOut(): Promise<void> {
    const { sessions, connection, clear } = this.#ports;
    connection.tell({ type: "disconnect" });
    if (sessions.state.is === "signed_in") await sessions.call("signOut", {}).catch(() => {});
    await clear();
    sessions.forget("signed_out");
  }

  /** [CL-56] What has lost its answer may have been done: then the session is over, and it is told why. */
  async erase(proof: Proof): Promise<void> {
    const { sessions, connection } = this.#ports;
    this.#isErasing = true;
    try {
      await sessions.call("eraseMe", { body: proof });
      await this.#bury();
      connection.tell({ type: "refused", why: "signed_out" });
    } catch (error) {
      if (this.#isOver()) await this.#end();
      const { state } = sessions;
      if (state.is === "signed_in" || state.because !== "erased") throw error;
    } finally {
      this.#isErasing = false;
    }
  }

  #isOver(): boolean {
    const { connection, sessions } = this.#ports;
    return isSignedOut(connection) || sessions.state.is === "signed_out";
  }
}

/** The server has told this socket that it wants this device no more. */
export const isSignedOut = ({ state }: Connection): boolean => state.is === "stopped" && state.why === "signed_out";
