import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideFile,
  decideSize,
  dispositionOf,
  kindOf,
  lineOf,
  mediaOf,
  missingParts,
  partCountOf,
  partOf,
  unfitness,
} from "../../src/domain/media.ts";
import { type MediaContent, Wish } from "../../src/protocol/events.ts";
import { ConversationId, MediaId, UserId } from "../../src/protocol/ids.ts";
import { LIMITS } from "../../src/protocol/limits.ts";
import { always } from "../property.ts";

const ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const PHOTO: MediaContent = { type: "media", mediaId: MediaId.parse(ULID), contentType: "image/png", bytes: 3 };
const wish = (content: object) => Wish.safeParse({ kind: "message", content });

test("[MD-2] what is no picture, sound or video is a file, and each has its size", () => {
  expect(["image/png", "audio/ogg", "video/mp4", "text/html", "imagex/png"].map(kindOf)).toEqual([
    "image",
    "audio",
    "video",
    "file",
    "file",
  ]);
  expect(decideSize("image/png", LIMITS.imageBytes)).toMatchObject({ ok: true });
  expect(decideSize("image/png", LIMITS.imageBytes + 1)).toMatchObject({ code: "media_too_large" });
  expect(decideSize("application/zip", LIMITS.imageBytes + 1)).toMatchObject({ ok: true });
});

test("[MD-18] what is too large for one request comes in parts, which cover it once and in order", () => {
  const decided = (contentType: string, bytes: number, parts?: number) => {
    const md5s = parts === undefined ? undefined : Array.from({ length: parts }, () => "");
    const answer = decideFile({ contentType, bytes, parts: md5s });
    return answer.ok ? "ok" : answer.code;
  };
  expect([decided("video/mp4", LIMITS.putBytes), decided("video/mp4", LIMITS.putBytes + 1)]).toEqual([
    "ok",
    "media_too_large",
  ]);
  expect(decided("image/png", LIMITS.imageBytes + 1, 3)).toBe("media_too_large");
  expect(decided("video/mp4", LIMITS.videoBytes + 1, 257)).toBe("media_too_large");
  always(
    fc.property(fc.integer({ min: 1, max: LIMITS.fileBytes }), fc.integer({ min: 0, max: 300 }), (bytes, parts) => {
      const count = partCountOf(bytes);
      expect(decided("application/zip", bytes, parts)).toBe(parts === count ? "ok" : "invalid_request");
      const pieces = Array.from({ length: count }, (_, i) => partOf(bytes, i + 1));
      expect(pieces[0]?.from).toBe(0);
      expect(pieces.at(-1)?.to).toBe(bytes);
      for (const [i, { from, to }] of pieces.entries()) {
        expect(to - from, "R2 wants all of one size but the last").toBe(
          i < count - 1 ? LIMITS.partBytes : bytes - from,
        );
        expect(to).toBeGreaterThan(from);
        if (i > 0) expect(from).toBe(pieces[i - 1]?.to);
      }
    }),
  );
  expect(missingParts(4, new Map([[2, "x"]]))).toEqual([1, 3, 4]);
});

test("[MD-7] nothing that can hold a script is shown", () => {
  for (const type of ["image/svg+xml", "text/html", "application/xhtml+xml", "text/xml", "application/pdf", "image/x"])
    expect(dispositionOf(type), type).toBe("attachment");
  for (const type of ["image/jpeg", "audio/ogg", "video/mp4"]) expect(dispositionOf(type), type).toBe("inline");
});

test("[MD-8] media of somebody else is like none; one's own fits its conversation, type and size", () => {
  const userId = UserId.parse(ULID);
  const conversationId = ConversationId.parse(`d${ULID}`);
  const known = { userId, conversationId, contentType: PHOTO.contentType, bytes: PHOTO.bytes };
  const asked = { userId, conversationId, media: PHOTO };
  expect(unfitness(known, asked)).toBeNull();
  const other = UserId.parse(ULID.replace("01", "02"));
  expect(unfitness(undefined, asked)).toBe(unfitness(known, { ...asked, userId: other }));
  expect(unfitness(known, { ...asked, conversationId: ConversationId.parse(`g${ULID}`) })).not.toBeNull();
  expect(unfitness({ ...known, bytes: 4 }, asked)).not.toBeNull();
  expect(unfitness({ ...known, contentType: "image/jpeg" }, asked)).not.toBeNull();
});

test("[MD-14] media in a line is its kind or its name, and its caption", () => {
  const line = (content: Partial<MediaContent>) => lineOf({ ...PHOTO, ...content });
  expect(line({})).toBe("Photo");
  expect(line({ caption: "Look!" })).toBe("Photo: Look!");
  expect(line({ contentType: "audio/ogg" })).toBe("Voice message");
  expect(line({ contentType: "video/mp4", name: "x.mp4" })).toBe("Video");
  expect(line({ contentType: "application/pdf" })).toBe("File");
  expect(line({ contentType: "application/pdf", name: "bill.pdf", caption: "Pay" })).toBe("bill.pdf: Pay");
  expect(lineOf({ type: "text", text: "hello" })).toBe("hello");
});

test("[MD-17] what media says is bounded and nothing else than what the schema knows", () => {
  const full = {
    ...PHOTO,
    name: "a.png",
    caption: "x".repeat(LIMITS.captionLength),
    width: 1,
    height: LIMITS.mediaPixels,
    durationMs: 0,
    thumbhash: "a-_9",
    thumbnail: "AAAA",
    waveform: "AAAA",
    forwards: 1,
    mentions: [ULID],
    replyTo: 1,
  };
  expect(wish(full).success).toBe(true);
  const bad: object[] = [
    { mediaId: "x" },
    { contentType: "image/png; charset=x" },
    { contentType: "Image/PNG" },
    { contentType: "image/png\r\nx-evil: 1" },
    { bytes: 0 },
    { bytes: 1.5 },
    { bytes: LIMITS.fileBytes + 1 },
    { caption: "" },
    { caption: "x".repeat(LIMITS.captionLength + 1) },
    { name: "x".repeat(LIMITS.fileNameLength + 1) },
    { width: 0 },
    { height: LIMITS.mediaPixels + 1 },
    { durationMs: -1 },
    { thumbhash: "a".repeat(LIMITS.thumbhashLength + 1) },
    { thumbhash: "+/" },
    { thumbnail: "a".repeat(LIMITS.thumbnailLength + 1) },
    { thumbnail: "javascript:" },
    { waveform: "a".repeat(LIMITS.waveformLength + 1) },
    { waveform: "+/" },
    { forwards: 0 },
    { forwards: LIMITS.forwards + 1 },
    { url: "https://evil.example" },
    { text: "x" },
  ];
  for (const change of bad) expect(wish({ ...full, ...change }).success, JSON.stringify(change)).toBe(false);
  always(
    fc.property(fc.string(), fc.anything(), (name, value) => {
      if (Object.hasOwn(full, name)) return;
      expect(wish({ ...PHOTO, [name]: value }).success).toBe(false);
    }),
  );
});

test("[MD-8] only a message makes media its own", () => {
  expect(mediaOf({ kind: "message", content: PHOTO })).toBe(PHOTO);
  expect(mediaOf({ kind: "message", content: { type: "text", text: "x" } })).toBeUndefined();
  expect(mediaOf({ kind: "recall", targetSeq: 1 })).toBeUndefined();
});
