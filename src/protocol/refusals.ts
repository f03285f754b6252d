/** The codes of every refusal, without the schemas: for whoever shows them and parses nothing. */

type Trait = { status: number; retryable: boolean; title: string };
const trait = (status: number, title: string, retryable = false): Trait => ({ status, retryable, title });

/** The closed list: every refusal on HTTP and on the socket has one of these codes. `retryable`: the same request may succeed later. */
export const ERRORS = {
  invalid_request: trait(400, "The request does not fit the schema"),
  unsupported_version: trait(400, "This version of the protocol is not spoken here"),
  unauthenticated: trait(401, "A valid access token is needed"),
  token_expired: trait(401, "The access token has expired: refresh it"),
  invalid_credentials: trait(401, "Handle or password is wrong"),
  refresh_reused: trait(401, "This refresh token was used before: the device is signed out"),
  device_revoked: trait(401, "This device has been signed out"),
  forbidden: trait(403, "Not allowed to do this"),
  not_member: trait(403, "Not a member of this conversation any more"),
  not_found: trait(404, "No such thing, or not yours to see"),
  method_not_allowed: trait(405, "This path does not take this method"),
  handle_taken: trait(409, "This handle is in use"),
  idempotency_conflict: trait(409, "This idempotency key was used for another content"),
  key_out_of_order: trait(409, "Nothing was appended: the key is older than the device's newest; mint a new one"),
  hello_required: trait(409, "Say hello first"),
  last_admin: trait(409, "A group keeps at least one admin"),
  group_full: trait(409, "The group has as many members as it may"),
  too_many_devices: trait(409, "Sign out another device first"),
  too_many_invites: trait(409, "Revoke another invite to this group first"),
  too_many_waiting: trait(409, "As many people as may wait to be let into this group"),
  invite_over: trait(410, "This invite has expired, or was used as often as it may"),
  too_many_blocks: trait(409, "Unblock somebody first"),
  too_many_contacts: trait(409, "One of the two has as many contacts or open requests as they may"),
  too_many_stars: trait(409, "Take the star off another message first"),
  too_late: trait(409, "The time for this has passed, or the message is gone"),
  receipt_ahead: trait(409, "A receipt cannot pass the head of the conversation"),
  push_not_offered: trait(409, "This server does not push by that provider"),
  people_search_not_offered: trait(409, "People are not searched for on this server; whole handles are found"),
  media_not_offered: trait(409, "This server keeps no media"),
  media_not_uploaded: trait(409, "The bytes of this media have not been uploaded"),
  media_too_large: trait(413, "Media of this kind is larger than allowed"),
  payload_too_large: trait(413, "The body or frame is too large"),
  upgrade_required: trait(426, "This door opens to a WebSocket upgrade only"),
  rate_limited: trait(429, "Too many requests", true),
  internal: trait(500, "Something broke here; it has been noted", true),
  unavailable: trait(503, "Not answered in time; safe to try again", true),
} as const satisfies Record<string, Trait>;
