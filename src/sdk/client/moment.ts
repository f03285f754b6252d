import { type Live, NOTHING_LIVE } from "../live.ts";
import type { ConnectionState } from "./api.ts";

/** What is true for a moment: nothing of it is stored. The leader tells it to the other tabs. */
export type Moment = {
  readonly connection: ConnectionState;
  readonly live: Live;
  /** By how much the server's clock is ahead of this device's. Ms. */
  readonly aheadMs: number;
  readonly storage: "ok" | "full";
};
export const NO_MOMENT: Moment = { connection: { is: "offline" }, live: NOTHING_LIVE, aheadMs: 0, storage: "ok" };
