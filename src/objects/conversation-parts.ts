import { DurableObject } from "cloudflare:workers";
import type { Env } from "../platform/env.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { Announcer } from "./announcer.ts";
import { AppendDesk } from "./append-desk.ts";
import type { ConversationState } from "./conversation-state.ts";
import { Deliverer } from "./deliverer.ts";
import { EntryDesk } from "./entry-desk.ts";
import { ErasureDesk } from "./erasure-desk.ts";
import { Fanout } from "./fanout.ts";
import { Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { MemberDesk } from "./member-desk.ts";
import { ReceiptDesk } from "./receipt-desk.ts";
import { SettingsDesk } from "./settings-desk.ts";
import { Settler } from "./settler.ts";
import { SightDesk } from "./sight-desk.ts";
import { Typists } from "./typists.ts";

/** What a conversation is made of, put together anew whenever the object wakes. */
export abstract class ConversationParts extends DurableObject<Env> {
  protected readonly ledger: Ledger;
  protected readonly clock: AlarmClock;
  protected readonly fanout: Fanout;
  protected readonly load: Load;
  protected readonly receipts: ReceiptDesk;
  protected readonly deliverer: Deliverer;
  protected readonly settler: Settler;
  protected readonly typists: Typists;
  protected readonly wishes: AppendDesk;
  protected readonly members: MemberDesk;
  protected readonly entry: EntryDesk;
  protected readonly settings: SettingsDesk;
  protected readonly sights: SightDesk;
  protected readonly erasures: ErasureDesk;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.ledger = new Ledger(env, ctx.storage, (state) => this.awoken(state));
    this.clock = new AlarmClock(ctx.storage);
    this.fanout = new Fanout((userId, after, through) => this.deliverer.deliver(userId, after, through));
    this.load = new Load("conversation", (now) => this.fanout.waitMs(now));
    const { ledger, clock, fanout, load } = this;
    const moved = (now: number) => this.settler.keepReceipts(now);
    this.receipts = new ReceiptDesk(env, { ledger, fanout, load, moved });
    this.deliverer = new Deliverer(env, { ledger, load, receipts: this.receipts });
    this.settler = new Settler(env, { ledger, clock, fanout, load, deliverer: this.deliverer });
    this.typists = new Typists(env, { ledger, fanout, load });
    const announcer = new Announcer({ ledger, fanout, settler: this.settler });
    const { receipts, deliverer } = this;
    this.wishes = new AppendDesk({ ledger, fanout, announcer });
    this.members = new MemberDesk({ ledger, fanout, receipts, deliverer, announcer });
    this.entry = new EntryDesk({ ledger, members: this.members });
    this.settings = new SettingsDesk(env, { ledger, announcer });
    this.sights = new SightDesk({ ledger, deliverer });
    this.erasures = new ErasureDesk({ ledger, fanout, receipts, announcer });
    void ctx.blockConcurrencyWhile(async () => {
      await clock.load();
      ledger.wake();
    });
  }

  /** The ledger was read: on waking, or anew because something could not be written. */
  private awoken(state: ConversationState): void {
    for (const m of state.roster.values())
      if (!m.erased) this.fanout.restore(m, state.checkpoint.delivered, state.head);
    this.settler.wake(state);
  }
}
