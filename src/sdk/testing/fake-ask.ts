import type { ConversationId } from "../../protocol/ids.ts";
import type { Result } from "../../protocol/result.ts";
import type { DoorName, Doors, ErrorCode, Profile } from "../client/wire.ts";
import type { FakeConversation } from "./fake-conversation.ts";
import type { FakeDevice, FakePerson } from "./fake-people.ts";
import type { FakeServer } from "./fake-server.ts";

/** Who asks, and what with: the doors trust it, as the SDK's types hold callers to it. */
export type Ask = {
  readonly server: FakeServer;
  readonly device: FakeDevice;
  readonly params: Record<string, string>;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: a body is what the door's own type says, and each door reads its own
  readonly body: any;
  readonly now: number;
};
export type Answer<D extends DoorName> = Result<Doors[D]["answer"], ErrorCode>;
export type Table = { readonly [D in DoorName]?: (ask: Ask) => Answer<D> };

export const ok = <T>(value: T): Result<T, ErrorCode> => ({ ok: true, value });
export const meOf = ({ password: _, ...me }: FakePerson) => me;
export const nameOf = ({ userId, handle, displayName }: FakePerson) => ({ userId, handle, displayName });
/** As this one sees somebody: whoever is blocked by them sees no picture, and the others do. */
export function profileFor({ server, device }: Ask, person: FakePerson): Profile {
  const { userId, handle, displayName, avatarMediaId } = person;
  const isSeen = avatarMediaId !== undefined && server.people.showsPicture(person, device.userId);
  return { userId, handle, displayName, ...(isSeen ? { avatarMediaId } : {}) };
}

/** The conversation of a path, if the one who asks is, or was, in it. */
export function placeOf({ server, device, params }: Ask): FakeConversation | null {
  const conversation = server.conversations.get((params.id ?? "") as ConversationId);
  return conversation?.members.has(device.userId) ? conversation : null;
}
