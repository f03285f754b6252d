import { expect, test } from "vitest";
import { eventsText, historyText, pageText } from "../../src/protocol/frame-text.ts";
import { ServerFrame } from "../../src/protocol/frames.ts";
import { DOORS } from "../../src/protocol/http.ts";
import { ConversationId } from "../../src/protocol/ids.ts";

const conversationId = ConversationId.parse(`g${"0".repeat(26)}`);
const id = "0".repeat(26);
const times = { receivedAt: 3, occurredAt: 3 };
const settings = (seq: number) => ({
  conversationId,
  seq,
  eventId: id,
  senderId: id,
  ...times,
  kind: "settings",
  title: '"}',
});
const bodies = [1, 2].map((seq) => JSON.stringify(settings(seq)));
const events = [settings(1), settings(2)];
const ends = { head: 2, floor: 1 };

test("[DC-2] frames put together of texts are what the schemas say", () => {
  expect(ServerFrame.parse(JSON.parse(eventsText(conversationId, bodies)))).toEqual({
    type: "events",
    conversationId,
    events,
  });
  const page = { type: "page", conversationId, events, ...ends };
  expect(ServerFrame.parse(JSON.parse(pageText(7, conversationId, bodies, ends)))).toEqual({ ...page, id: 7 });
  expect(ServerFrame.parse(JSON.parse(pageText(undefined, conversationId, [], ends)))).toEqual({ ...page, events: [] });
  const history = historyText(bodies, { ...ends, hasMore: true });
  expect(DOORS.history.answers[200].parse(JSON.parse(history))).toEqual({ events, ...ends, hasMore: true });
});
