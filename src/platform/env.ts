import type { PushJob } from "../domain/push.ts";
import type { Conversation } from "../objects/conversation.ts";
import type { Inbox } from "../objects/inbox.ts";

/** The bindings of wrangler.toml, and its secrets. History shards are looked up by the names in HISTORY_SHARDS. */
export type Env = {
  CONVERSATIONS: DurableObjectNamespace<Conversation>;
  INBOXES: DurableObjectNamespace<Inbox>;
  DIRECTORY: D1Database;
  HISTORY_0: D1Database;
  HISTORY_1: D1Database;
  PUSHES: Queue<PushJob>;
  MEDIA: R2Bucket;
  ASSETS: Fetcher;
  STRICT_ADDRESS: RateLimit;
  STRICT_HANDLE: RateLimit;
  STRICT_DEVICE: RateLimit;
  STRICT_PEOPLE: RateLimit;
  STRICT_EXPORT: RateLimit;
  WIDE_EXPORT: RateLimit;
  WIDE_ADDRESS: RateLimit;
  WIDE_HANDLE: RateLimit;
  WIDE_DEVICE: RateLimit;
  WIDE_PEOPLE: RateLimit;
  RATE_LIMITS: string;
  /** "everyone", or "off": nobody is found by a name or a part of a handle. [PE-6] */
  PEOPLE_SEARCH?: string;
  /** Days for which reports are kept; empty: 90. [RP-7] */
  REPORTS_DAYS?: string;
  HISTORY_SHARDS: string;
  ISSUER: string;
  ISSUER_AUDIENCE: string;
  ISSUER_JWKS_URL: string;
  TOKEN_KEYS: string;
  OPERATOR_TOKEN?: string;
  /** Allowed hosts of Web Push endpoints: [PU-22]. */
  PUSH_HOSTS: string;
  PUSH_CONTACT: string;
  /** "full", or "none": no push carries names or text. */
  PUSH_CONTENT: string;
  /** Days after which every message disappears; empty: never. [LM-13] */
  RETENTION_DAYS?: string;
  /** "1": words are kept only until every member's devices have them. [LM-21] */
  FORGET_DELIVERED?: string;
  FCM_URL: string;
  VAPID_KEYS?: string;
  FCM_SERVICE_ACCOUNT?: string;
  /** The S3 door of the bucket MEDIA and its keys; without all of them there is no media. */
  R2_ENDPOINT: string;
  R2_BUCKET: string;
  R2_ACCESS_KEY_ID?: string;
  R2_SECRET_ACCESS_KEY?: string;
};
