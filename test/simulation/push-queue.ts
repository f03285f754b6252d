import type { PushJob } from "../../src/domain/push.ts";
import type { UserId } from "../../src/protocol/ids.ts";
import type { Clockwork } from "./clockwork.ts";

/** A push that was put. `life`: which instance of the inbox put it. `sure`: the inbox was told that it is in the queue. */
export type Put = { readonly job: PushJob; readonly at: number; readonly life: number; sure: boolean };
type Beside = <T>(act: () => T) => Promise<T>;

/** Stands in for the queue of pushes: it keeps what was put. */
export class PushQueue {
  readonly puts: Put[] = [];
  /** Told of each push at the moment when it was decided. */
  decided: (job: PushJob) => void = () => {};
  private readonly works: Clockwork;
  private readonly beside: Beside;
  private readonly lifeOf: (userId: UserId) => number;

  constructor(works: Clockwork, beside: Beside, lifeOf: (userId: UserId) => number) {
    this.works = works;
    this.beside = beside;
    this.lifeOf = lifeOf;
  }

  async sendBatch(messages: readonly { body: PushJob }[]): Promise<void> {
    const { now } = this.works;
    const puts = messages.map(({ body }) => ({ job: body, at: now, life: this.lifeOf(body.userId), sure: false }));
    for (const { job } of puts) this.decided(job);
    await this.beside(() => this.puts.push(...puts));
    for (const put of puts) put.sure = true;
  }
}
