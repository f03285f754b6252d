import type { Command, Ended } from "./commands.ts";
import type { Piece } from "./handing-over.ts";
import type { Moment } from "./moment.ts";
import type { Because } from "./sessions.ts";
import type { ClientChange, ClientState } from "./state.ts";
import type { ErrorCode } from "./wire.ts";

/**
 * What tabs say to each other. `leader`: the tab that led when it was said. A tab leads once, so that names its term; absent from a page
 * that is older than the name.
 */
export type Told =
  /** From the leader: it leads now; say again what is open. */
  | { readonly type: "lead" }
  | {
      readonly type: "state";
      readonly to: string;
      readonly leader: string;
      /** The join that it answers. */
      readonly join?: number | undefined;
      readonly state: ClientState;
      readonly moment: Moment;
      /** The logs are to be asked for, in so many pieces; absent: they are with it. */
      readonly parts?: { readonly number: number; readonly count: number };
    }
  | {
      readonly type: "piece";
      readonly to: string;
      readonly leader: string;
      readonly number: number;
      readonly at: number;
      readonly piece: Piece;
    }
  | {
      readonly type: "delta";
      readonly leader?: string | undefined;
      readonly changes: readonly ClientChange[];
      readonly moment: Moment;
      readonly ended: readonly Ended[];
    }
  | { readonly type: "cleared"; readonly leader?: string | undefined }
  /** `because`: why nobody is signed in any more. */
  | { readonly type: "session"; readonly because: Because }
  | { readonly type: "done"; readonly to: string; readonly id: number; readonly value: unknown }
  | { readonly type: "refused"; readonly to: string; readonly id: number; readonly error: Refused }
  /** To the leader. */
  | ({ readonly type: "join" } & Joining)
  | ({ readonly type: "more"; readonly to: string; readonly number: number; readonly at: number } & Joining)
  /** `to`: the one that gave `from` its state. Another one that leads meanwhile passes it over: it is said again, in its place. */
  | { readonly type: "do"; readonly from: string; readonly to: string; readonly id: number; readonly command: Command };
/** `join`: rises with each of a tab. `join` and `inPieces` are absent from a tab whose page is older than they are. */
export type Joining = { readonly from: string; readonly join?: number | undefined; readonly inPieces?: true };
export type ToLeader = Extract<Told, { type: "join" | "more" | "do" }>;
export type Refused = { readonly code: ErrorCode; readonly detail: string; readonly retryAfterMs: number | null };
