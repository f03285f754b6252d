import type { RawReceipt } from "../domain/receipts.ts";
import { mapWindowed } from "../platform/calls.ts";
import type { UserId } from "../protocol/ids.ts";

/** After the first news, wait for more: a burst of reads is one call to each author. Ms. */
const GATHER_MS = 150;

/** An author who was not reached is tried again after this long. Ms. */
const RETRY_MS = 2_000;
/** How often in a row; then the next news, or the author's next look, has to do. */
const TRIES = 5;

type News = { receipts: Map<UserId, RawReceipt>; failures: number };
/** Answers whether the author was reached. */
type Tell = (userId: UserId, receipts: RawReceipt[]) => Promise<boolean>;

/** Tells authors who received their messages. Only live: an author who is away learns it when they attend. */
export class ReceiptCourier {
  private readonly news = new Map<UserId, News>();
  private readonly tell: Tell;
  private readonly width: number;
  private busy = false;

  constructor(width: number, tell: Tell) {
    this.width = width;
    this.tell = tell;
  }

  /** Without a receipt: the ticks have changed by themselves. */
  add(author: UserId, receipt: RawReceipt | null): void {
    const pending = this.news.get(author) ?? { receipts: new Map(), failures: 0 };
    if (receipt) pending.receipts.set(receipt.userId, receipt); // [RC-5] the newest watermark stands for all before it
    this.news.set(author, pending);
    if (!this.busy) void this.run();
  }

  private async run(): Promise<void> {
    this.busy = true;
    while (this.news.size > 0) {
      const isRetry = [...this.news.values()].every(({ failures }) => failures > 0);
      await new Promise((resolve) => setTimeout(resolve, isRetry ? RETRY_MS : GATHER_MS));
      const batch = [...this.news];
      this.news.clear();
      await mapWindowed(batch, this.width, ([author, news]) => this.carry(author, news));
    }
    this.busy = false;
  }

  private async carry(author: UserId, { receipts, failures }: News): Promise<void> {
    const isReached = await this.tell(author, [...receipts.values()]);
    if (isReached || failures + 1 >= TRIES) return;
    const newer = this.news.get(author)?.receipts ?? new Map<UserId, RawReceipt>();
    this.news.set(author, { receipts: new Map([...receipts, ...newer]), failures: failures + 1 });
  }
}
