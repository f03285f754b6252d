import { mapWindowed } from "../platform/calls.ts";
import type { Receipt } from "../protocol/frames.ts";
import type { UserId } from "../protocol/ids.ts";

/** After the first news, wait for more: a burst of reads is one call to each author. Ms. */
const GATHER_MS = 150;

/** Tells authors who received their messages. At most once and only live: a reconnecting author learns it from `attend`. */
export class ReceiptCourier {
  private readonly news = new Map<UserId, Map<UserId, Receipt>>();
  private readonly tell: (userId: UserId, receipts: Receipt[]) => Promise<unknown>;
  private readonly width: number;
  private busy = false;

  constructor(width: number, tell: (userId: UserId, receipts: Receipt[]) => Promise<unknown>) {
    this.width = width;
    this.tell = tell;
  }

  add(author: UserId, receipt: Receipt): void {
    const pending = this.news.get(author) ?? new Map<UserId, Receipt>();
    this.news.set(author, pending.set(receipt.userId, receipt)); // [RC-5] the newest watermark stands for all before it
    if (!this.busy) void this.run();
  }

  private async run(): Promise<void> {
    this.busy = true;
    while (this.news.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      const batch = [...this.news];
      this.news.clear();
      await mapWindowed(batch, this.width, ([author, receipts]) =>
        this.tell(author, [...receipts.values()]).catch(() => {}),
      );
    }
    this.busy = false;
  }
}
