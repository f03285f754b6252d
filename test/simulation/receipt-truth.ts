import type { Membership } from "../../src/domain/membership.ts";
import { type Mark, standing, type Trail } from "../../src/domain/trail.ts";
import type { ConversationId, UserId } from "../../src/protocol/ids.ts";
import type { AnyDevice as Device } from "./any-device.ts";
import type { Server } from "./server.ts";

const MARKS = ["delivered", "read", "shownRead", "contactsRead"] as const satisfies Mark[];
type Known = { life: number; trails: Map<UserId, Trail> };
const short = (id: string): string => id.slice(-4);

/** Watermarks as conversations hold them, compared at every step with what they were and with what devices hold. */
export class ReceiptTruth {
  readonly bugs: string[] = [];
  /** [BL-4] Who blocks tells nobody what they read. */
  wasBlocked: (id: ConversationId) => boolean = () => false;
  private readonly durable = new Map<ConversationId, Map<UserId, Trail>>();
  private readonly known = new Map<ConversationId, Known>();
  private readonly server: Server;
  private readonly devices: readonly Device[];

  constructor(server: Server, devices: readonly Device[]) {
    this.server = server;
    this.devices = devices;
  }

  checkpointed = (id: ConversationId, body: string): void => {
    const { trails } = JSON.parse(body) as { trails: [UserId, Trail][] };
    this.durable.set(id, new Map([...(this.durable.get(id) ?? []), ...trails]));
  };

  /** [RC-1] [RC-2] [RC-3] [RC-4] */
  look(conversations: readonly ConversationId[]): void {
    for (const id of conversations) {
      const state = this.server.awake(id);
      if (!state) continue;
      const { lives } = this.server.conversation(id);
      const before = this.known.get(id);
      const trails = before?.life === lives ? before.trails : (this.durable.get(id) ?? new Map());
      for (const userId of new Set([...trails.keys(), ...state.trails.keys()])) {
        const [was, is] = [trails.get(userId), state.trails.get(userId) ?? {}];
        if (was !== is) this.compare(id, state.roster.get(userId), userId, was ?? {}, is, state.head);
      }
      this.known.set(id, { life: lives, trails: new Map(state.trails) });
    }
  }

  private compare(
    id: ConversationId,
    member: Membership | undefined,
    userId: UserId,
    was: Trail,
    is: Trail,
    head: number,
  ): void {
    const wrong = (what: string) => this.bugs.push(`[RC] ${short(userId)} in ${id.slice(0, 5)}: ${what}`);
    const at = (mark: Mark) => standing(is, mark);
    for (const mark of MARKS)
      if (at(mark) < standing(was, mark))
        wrong(`${mark} goes back from ${standing(was, mark)} to ${at(mark)}, spans ${JSON.stringify(member?.spans)}`);
    if (at("read") > at("delivered") && !this.wasBlocked(id))
      wrong(`read ${at("read")} past delivered ${at("delivered")}`);
    if (at("delivered") > head) wrong(`delivered ${at("delivered")} past the head ${head}`);
    const mine = this.devices.filter((device) => device.userId === userId);
    const held = Math.max(...mine.map((device) => device.everHeld.get(id) ?? 0));
    const shown = Math.max(...mine.map((device) => device.everShown.get(id) ?? 0));
    if (at("delivered") > held) wrong(`delivered ${at("delivered")}, but no device ever held more than ${held}`);
    if (at("read") > shown) wrong(`read ${at("read")}, but nobody saw more than ${shown}`);
  }
}
