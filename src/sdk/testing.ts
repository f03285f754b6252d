import type { Fetch, WebSocketClass } from "./client/api.ts";
import type { DoorName, ErrorCode, Event } from "./client/wire.ts";
import { FakeServer } from "./testing/fake-server.ts";

/** `@edgewise/sdk/testing`: a server in memory for the tests of an app. */

export { memoryStorage } from "./client/memory-storage.ts";

/** What a test can do to the server. */
export type Fake = {
  /** For `createClient({ ...server.options, storage: memoryStorage() })`. */
  readonly options: { readonly url: string; readonly fetch: Fetch; readonly WebSocket: WebSocketClass };
  /** The next one of this door or frame is refused with this code, and does nothing. */
  refuseNext(what: DoorName | "hello" | "pull" | "watch", code: ErrorCode, retryAfterMs?: number): void;
  /** All sockets, or those of one person, go without a word. */
  cut(handle?: string): void;
  /** The next time that it would say this frame (`ack`, `page` …), the socket goes instead: it was done, and nobody is told. */
  cutBefore(frame: FrameType): void;
  /** The next answer of this door is lost: it was done, and nobody is told. */
  loseNext(door: DoorName): void;
  /** The next export breaks off after so many of its lines; `ends`: as if it were whole. */
  cutExport(afterLines: number, ends?: boolean): void;
  /** Closes sockets with a code of the contract: 4001 signed out, 4002 replaced, 4003 token expired. */
  close(code: number, handle?: string): void;
  /** Access tokens that were given out so far are taken no more. */
  expireTokens(): void;
  /** Cursors that were given out so far mean nothing any more: clients sync everything anew. */
  loseCursors(): void;
  /** Answers nobody, until `start`. */
  stop(): void;
  start(): void;
  /** All that was ever appended. */
  log(conversationId: string): readonly Event[];
};
type FrameType =
  | "welcome"
  | "ack"
  | "page"
  | "events"
  | "changed"
  | "caught_up"
  | "receipts"
  | "typing"
  | "presence"
  | "self"
  | "degraded"
  | "error";
export const fakeServer = (): Fake => new FakeServer();
