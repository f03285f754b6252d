import type { UserId } from "../../protocol/ids.ts";
import type { Command } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Environment } from "./environment.ts";
import type { Sessions } from "./sessions.ts";

/** What was said of a tab's screen counts this long. Ms. */
const SHOWN_MS = 75_000;

type Shown = { readonly visible: boolean; readonly userIds: readonly string[]; readonly until: number };
type Ports = {
  readonly environment: Environment;
  readonly background: boolean;
  readonly sessions: Sessions;
  readonly connection: Connection;
  /** These people are on some screen. */
  readonly watch: (userIds: readonly UserId[]) => void;
  /** Something was written and waits to be sent. */
  readonly isSending: () => boolean;
};

/** What the screens of all tabs show, and so whether a socket is wanted. */
export class Screens {
  readonly #ports: Ports;
  readonly #shown = new Map<string, Shown>();
  #wasVisible: boolean;
  #isWanted = true;
  #isResting = false;
  #cancelForget = () => {};

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#wasVisible = this.isVisible();
  }

  /** Nobody asked for the socket to stay closed. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  isVisible(): boolean {
    const { environment, background } = this.#ports;
    const now = environment.now();
    for (const [tab, { until }] of this.#shown) if (until <= now) this.#shown.delete(tab);
    if (environment.isVisible() === null) return !background;
    return environment.isVisible() === true || [...this.#shown.values()].some(({ visible }) => visible);
  }

  show(tab: string, { visible, userIds }: Extract<Command, { do: "show" }>): void {
    const { environment, connection } = this.#ports;
    this.#shown.set(tab, { visible, userIds, until: environment.now() + SHOWN_MS });
    this.#watch();
    const isVisible = this.isVisible();
    if (isVisible === this.#wasVisible) return;
    this.#wasVisible = isVisible;
    if (isVisible && this.#isResting) connection.tell({ type: "connect" });
    this.#isResting = false;
    connection.tell({ type: "visible", visible: isVisible });
  }

  gone(tab: string): void {
    this.#shown.delete(tab);
    this.#watch();
  }

  want(wanted: "connect" | "disconnect"): void {
    const { connection, sessions } = this.#ports;
    this.#isResting = false;
    this.#isWanted = wanted === "connect";
    if (!this.#isWanted || sessions.state.is === "signed_in") connection.tell({ type: wanted });
  }

  /** Somebody has just signed in. */
  entered(): void {
    this.#isWanted = true;
  }

  /** [CL-34] */
  rest(): boolean {
    const { sessions, connection } = this.#ports;
    if (this.isVisible() || this.#ports.isSending()) return false;
    this.#isResting = this.#isWanted && sessions.state.is === "signed_in";
    if (this.#isResting) connection.tell({ type: "disconnect" });
    return true;
  }

  /** [CL-32] All that some visible screen shows. */
  #watch(): void {
    const { environment } = this.#ports;
    this.isVisible(); // forgets those that are gone
    const userIds = [...new Set([...this.#shown.values()].flatMap((shown) => shown.userIds))] as UserId[];
    this.#ports.watch(userIds);
    this.#cancelForget();
    if (userIds.length > 0) this.#cancelForget = environment.after(SHOWN_MS, () => this.#watch());
  }

  close(): void {
    this.#cancelForget();
  }
}
