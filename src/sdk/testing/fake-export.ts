import type { ExportCounts, ExportLine } from "../client/wire.ts";
import { type Ask, meOf, nameOf } from "./fake-ask.ts";
import type { Cut } from "./fake-faults.ts";
import type { FakePerson } from "./fake-people.ts";
import { contactsOf } from "./fake-people-doors.ts";

const NO_MINE = { mentionsPierce: false, pinned: false, archived: false };

/** All that is the person's, or what follows a place of it, as the real door writes it; there are no media here. */
export function exportLines(ask: Ask): ExportLine[] {
  const { device, now, query, server } = ask;
  const after = query.get("after") ?? undefined;
  const manifest = { type: "manifest", format: "edgewise.export.1", userId: device.userId, exportedAt: now } as const;
  const [id = "", seq = "0"] = (after ?? ".0").split(".");
  const places = [...server.conversations.values()].filter(
    (place) => place.members.has(device.userId) && place.id >= id,
  );
  const conversations = places
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .flatMap((place) => conversationLines(ask, place.id, place.id === id ? Number(seq) : 0));
  const lines: ExportLine[] = [
    { ...manifest, ...(after === undefined ? {} : { after }) },
    ...(after === undefined ? personLines(ask) : []),
    ...(id === "media" ? [] : conversations),
  ];
  return [...lines, { type: "end", counts: countsOf(lines) }];
}

function personLines(ask: Ask): ExportLine[] {
  const { server, device } = ask;
  const { people, devices, blocked } = server.people;
  const all = [...people.values()];
  const mine = [...devices.values()].filter(({ userId }) => userId === device.userId);
  return [
    { type: "profile", ...withoutPicture(people.get(device.userId) as FakePerson), identities: [] },
    ...mine.map(({ deviceId, name, createdAt }) => {
      return { type: "device", deviceId, name, createdAt, lastUsedAt: createdAt } as const;
    }),
    ...contactsOf(ask).map(({ avatarMediaId: _, ...contact }) => ({ type: "contact", ...contact }) as const),
    ...all
      .filter(({ userId }) => blocked.has(`${device.userId} ${userId}`))
      .map((person) => ({ type: "block", ...nameOf(person) }) as const),
  ];
}

/** There are no media here. */
const withoutPicture = (person: FakePerson) => {
  const { avatarMediaId: _, ...me } = meOf(person);
  return me;
};

function conversationLines({ server, device }: Ask, id: string, after: number): ExportLine[] {
  const place = [...server.conversations.values()].find((each) => each.id === id);
  if (!place) return [];
  const { conversationId, kind, title, createdAt, head, floor, mine, members } = place.describeFor(device.userId);
  const named = members.map(({ userId, role }) => {
    const person = server.people.people.get(userId as typeof device.userId);
    return { userId, role, ...(person ? nameOf(person) : {}) };
  });
  const { role, delivered, read } = mine;
  return [
    {
      ...{ type: "conversation", conversationId, kind, ...(title === undefined ? {} : { title }), createdAt, role },
      ...{ floor, head, delivered, read, mine: place.mine.get(device.userId) ?? NO_MINE, starred: [], members: named },
    },
    ...place
      .visibleTo(device.userId)
      .filter((event) => event.seq > after)
      .map((event) => ({ type: "event", event }) as const),
  ];
}

function countsOf(lines: readonly ExportLine[]): ExportCounts {
  const count = (type: ExportLine["type"]) => lines.filter((line) => line.type === type).length;
  return {
    ...{ device: count("device"), contact: count("contact"), block: count("block"), pushSubscription: 0, report: 0 },
    ...{ conversation: count("conversation"), event: count("event"), media: 0 },
  };
}

/** In small pieces that do not heed where lines end. */
export function fileOf(lines: readonly ExportLine[], cut: Cut | undefined): Response {
  const bytes = new TextEncoder().encode(
    lines
      .slice(0, cut?.afterLines)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  );
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at + PIECE));
      else if (cut && !cut.ends) controller.error(new TypeError("network error"));
      else controller.close();
      at += PIECE;
    },
  });
  return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
}
const PIECE = 700;
