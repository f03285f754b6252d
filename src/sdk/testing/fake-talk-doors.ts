import type { ConversationId, UserId } from "../../protocol/ids.ts";
import { refuse } from "../../protocol/result.ts";
import type { ErrorCode } from "../client/wire.ts";
import { type Ask, ok, placeOf, type Table } from "./fake-ask.ts";
import type { FakeConversation } from "./fake-conversation.ts";

/** The doors of conversations and what is in them. */

const described = (place: FakeConversation, { device }: Ask) => ok({ conversation: place.describeFor(device.userId) });

/** A member comes, goes, or gets another role. */
function changeMember(ask: Ask, change: "added" | "removed" | "left" | "role", role: "admin" | "member" | undefined) {
  const { server, device, params, now } = ask;
  const place = placeOf(ask);
  if (!place) return refuse<ErrorCode>("not_found");
  const by = place.members.get(device.userId);
  if (change !== "left" && by?.role !== "admin") return refuse<ErrorCode>("forbidden");
  const userId = params.userId as UserId;
  const event = place.change(device.userId, { kind: "member", userId, change, ...(role ? { role } : {}) }, now);
  server.publish(place, event, null);
  return described(place, ask);
}

export const TALK_DOORS: Table = {
  openDirect(ask) {
    const { server, device, params, now } = ask;
    const userId = params.userId as UserId;
    if (!server.people.people.has(userId)) return refuse("not_found");
    const [a = "", b = ""] = [device.userId, userId].sort();
    const id = `d${a.slice(-13)}${b.slice(-13)}` as ConversationId;
    return described(server.conversations.get(id) ?? server.make(id, "direct", device.userId, [userId], now), ask);
  },
  createGroup(ask) {
    const { server, device, body, now } = ask;
    const id = `g${body.idempotencyKey ?? server.people.newId()}` as ConversationId;
    const known = server.conversations.get(id);
    if (known) return described(known, ask);
    const place = server.make(id, "group", device.userId, body.memberIds, now);
    server.publish(place, place.change(device.userId, { kind: "settings", title: body.title }, now), null);
    return described(place, ask);
  },
  conversation(ask) {
    const place = placeOf(ask);
    return place ? described(place, ask) : refuse("not_found");
  },
  changeConversation(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    const { title, retentionMs } = ask.body;
    const wanted = { ...(title === undefined ? {} : { title }), ...(retentionMs === undefined ? {} : { retentionMs }) };
    if (Object.keys(wanted).length > 0)
      ask.server.publish(place, place.change(ask.device.userId, { kind: "settings", ...wanted }, ask.now), null);
    return described(place, ask);
  },
  clearConversation(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    place.clearFor(ask.device.userId);
    ask.server.tellChanged(ask.device.userId, place);
    return ok(null);
  },
  deleteEvent(ask) {
    const place = placeOf(ask);
    if (!place?.deleteFor(ask.device.userId, Number(ask.params.seq))) return refuse("not_found");
    ask.server.tellChanged(ask.device.userId, place);
    return ok(null);
  },
  changeMine(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    const { mutedUntil, ...rest } = {
      mentionsPierce: false,
      pinned: false,
      archived: false,
      ...place.mine.get(ask.device.userId),
      ...ask.body,
    };
    const mine = { ...rest, ...(typeof mutedUntil === "number" ? { mutedUntil } : {}) };
    place.mine.set(ask.device.userId, mine);
    const told = { conversationId: place.id, mine };
    ask.server.tellSelf(ask.device.userId, ask.device.deviceId, { type: "self", conversations: [told] });
    return ok(mine);
  },
  putMember(ask) {
    const isHere = placeOf(ask)?.isMember(ask.params.userId as UserId);
    return changeMember(ask, isHere ? "role" : "added", ask.body?.role ?? "member");
  },
  removeMember(ask) {
    const isMe = ask.params.userId === ask.device.userId;
    const changed = changeMember(ask, isMe ? "left" : "removed", undefined);
    return changed.ok ? ok(null) : changed;
  },
  history(ask) {
    const place = placeOf(ask);
    if (!place) return refuse("not_found");
    const { device, query } = ask;
    const [after, before, limit] = [query.get("after"), query.get("before"), Number(query.get("limit") ?? 50)];
    const all = place.visibleTo(device.userId);
    const wanted =
      after === null
        ? all.filter(({ seq }) => seq < Number(before ?? Number.MAX_SAFE_INTEGER)).reverse()
        : all.filter(({ seq }) => seq > Number(after));
    const events = wanted.slice(0, limit);
    return ok({
      events,
      head: place.headFor(device.userId),
      floor: place.floorFor(device.userId),
      hasMore: wanted.length > limit,
    });
  },
  search({ server, device, query }) {
    const wanted = (query.get("q") ?? "").toLowerCase();
    const all = [...server.conversations.values()].flatMap((place) => place.visibleTo(device.userId));
    const hits = all.flatMap((event) => {
      if (event.kind !== "message" || event.content.type !== "text") return [];
      const from = event.content.text.toLowerCase().indexOf(wanted);
      if (from < 0) return [];
      const { conversationId, seq, eventId, senderId, receivedAt, occurredAt, content } = event;
      const snippet = { text: content.text, from, to: from + wanted.length };
      return [{ conversationId, seq, eventId, senderId, receivedAt, occurredAt, snippet }];
    });
    return ok({ hits: hits.reverse(), incomplete: false });
  },
};
