import { expect, test } from "vitest";
import { ConversationId, MediaId } from "../../src/protocol/ids.ts";
import { ok, refuse } from "../../src/protocol/result.ts";
import { type UploadPorts, uploadMedia } from "../../src/sdk/index.ts";

const MEDIA = MediaId.parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");
const FILE = { conversationId: ConversationId.parse(`d${MEDIA}`), contentType: "image/png", file: { size: 10 } };
const UPLOAD = { method: "PUT" as const, url: "https://store.example/x", headers: {}, expiresAt: 0 };
type File = { size: number };

/** A store that answers these statuses one after the other, and what it was asked for. */
function shell(
  statuses: number[],
  ticket: UploadPorts<File>["ask"] = async () => ok({ mediaId: MEDIA, upload: UPLOAD }),
) {
  const did: string[] = [];
  const waits: number[] = [];
  const ports: UploadPorts<File> = {
    hash: async () => "ff",
    ask: async (wish) => {
      did.push(`ask ${wish.bytes} ${wish.sha256}`);
      return ticket(wish);
    },
    put: async (upload, file, progress) => {
      did.push(`put ${upload.url}`);
      progress(file.size);
      return statuses.shift() ?? 0;
    },
    sleep: async (ms) => void waits.push(ms),
    random: () => 0.5,
  };
  const seen: number[] = [];
  const run = () => uploadMedia(ports, FILE, (bytes) => seen.push(bytes));
  return { run, did, waits, seen };
}
const PUT = "put https://store.example/x";

test("[MD-15] a file is hashed, asked for and put once; its progress is told", async () => {
  const { run, did, seen } = shell([200]);
  expect(await run()).toEqual(ok(MEDIA));
  expect([did, seen]).toEqual([["ask 10 ff", PUT], [10]]);
});

test("[MD-15] what is there already is not uploaded", async () => {
  const { run, did } = shell([], async () => ok({ mediaId: MEDIA }));
  expect(await run()).toEqual(ok(MEDIA));
  expect(did).toEqual(["ask 10 ff"]);
});

test("[MD-15] an upload that broke off begins anew, later and later; one that was there after all is done", async () => {
  const { run, did, waits } = shell([0, 503, 412]);
  expect(await run()).toEqual(ok(MEDIA));
  expect(did).toEqual(["ask 10 ff", PUT, PUT, PUT]);
  expect(waits[1]).toBeGreaterThan(waits[0] as number);
});

test("[MD-15] a URL that is good no more is asked for anew", async () => {
  const { run, did } = shell([403, 200]);
  expect(await run()).toEqual(ok(MEDIA));
  expect(did).toEqual(["ask 10 ff", PUT, "ask 10 ff", PUT]);
});

test("[MD-15] a refusal is told as it is, and after four tries it is given up", async () => {
  expect(await shell([], async () => refuse("media_too_large")).run()).toEqual(refuse("media_too_large"));
  const { run, did } = shell([0, 0, 0, 0, 200]);
  expect(await run()).toMatchObject({ ok: false, code: "unavailable" });
  expect(did.filter((what) => what === PUT)).toHaveLength(4);
});
