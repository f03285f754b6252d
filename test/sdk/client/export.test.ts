import { expect, test } from "vitest";
import { ExportLine } from "../../../src/protocol/export.ts";
import type { Client, ExportedLine, ExportProgress, Fetch } from "../../../src/sdk/client/api.ts";
import { type Environment, environmentOf } from "../../../src/sdk/client/environment.ts";
import type { Fake } from "../../../src/sdk/testing.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, signUp, until } from "./support/people.ts";

/** Waits for no pause, but takes no wire for dead because this machine is slow. */
const persistent: Environment = {
  ...impatient,
  after: (ms, act) => (ms > 40_000 ? environmentOf().after(ms, act) : impatient.after(ms, act)),
};

/** Alice, with two conversations of many words; and what a file of hers holds that nothing was wrong with. */
async function talked(more: { fetch?: (real: Fetch) => Fetch } = {}) {
  const server = fakeServer();
  const fetch = more.fetch?.(server.options.fetch) ?? server.options.fetch;
  const alice = await signUp(server, "alice", { environment: persistent, fetch });
  await signUp(server, "bob", { environment: impatient });
  const bob = await alice.people.find("bob");
  const chat = await alice.conversations.openDirect(bob.userId);
  const group = await alice.conversations.createGroup({ title: "Räume 🏔️", memberIds: [bob.userId] });
  await alice.contacts.put(bob.userId);
  for (const place of [chat, group])
    await Promise.all(Array.from({ length: 30 }, (_, i) => place.send(`${i} ${"grüße 🦄".repeat(i)}`).sent));
  const whole = await linesOf(alice);
  return { server, alice, whole, text: textsOf(whole) };
}

async function linesOf(client: Client, signal?: AbortSignal): Promise<ExportedLine[]> {
  const lines: ExportedLine[] = [];
  for await (const line of client.export(signal ? { signal } : {})) lines.push(line);
  return lines;
}
/** Without the manifest, which tells the time, and the receipts, which come when they do. */
const textsOf = (lines: readonly object[]): string[] =>
  lines.slice(1).map((line) => JSON.stringify({ ...line, delivered: 0, read: 0 }));

test("[CL-55] all that is mine comes line by line, as a stream and as a file, and they say the same", async () => {
  const { alice, whole, text } = await talked();
  expect(whole.map(({ type }) => type)).toEqual([
    ...["manifest", "profile", "device", "contact", "conversation"],
    ...Array(32).fill("event"),
    "conversation",
    ...Array(33).fill("event"),
    "end",
  ]);
  for (const line of whole) ExportLine.parse(line);
  expect(JSON.stringify(whole)).toContain("29 grüße 🦄grüße 🦄");
  const seen: ExportProgress[] = [];
  const file = await alice.export({ onProgress: (progress) => seen.push(progress) }).blob();
  expect(file.type).toBe("application/x-ndjson");
  const lines = (await file.text()).trimEnd().split("\n");
  expect(textsOf(lines.map((line) => JSON.parse(line)))).toEqual(text);
  expect(seen.at(-1)).toEqual({ bytes: file.size, conversations: 2, events: 65, media: 0 });
  expect(seen.length).toBeGreaterThan(5);
  expect(seen.every(({ bytes }, i) => bytes > (seen[i - 1]?.bytes ?? 0))).toBe(true);
  expect(await new Response(alice.export().stream()).text()).toHaveLength((await file.text()).length);
});

test("[CL-55] wherever it is broken off it goes on, and each line comes once", async () => {
  const { server, alice, whole, text } = await talked();
  for (let cut = 5; cut < whole.length; cut += 3) {
    server.cutExport(cut, cut % 2 === 0);
    expect(textsOf(await linesOf(alice)), `after ${cut}`).toEqual(text);
  }
  for (const cut of [30, 20, 25]) server.cutExport(cut); // and again behind that
  expect(textsOf(await linesOf(alice))).toEqual(text);
  server.cutExport(40);
  const file = await alice.export().blob();
  expect((await file.text()).split("\n").filter((line) => line.includes('"end"'))).toHaveLength(1);
});

test("[CL-55] a cut download fails, and is never taken for whole", async () => {
  const { server, alice, whole } = await talked();
  const cutForGood = (ends: boolean) => {
    server.cutExport(20, ends);
    for (let i = 0; i < 5; i++) server.cutExport(1, ends); // nothing new comes
  };
  for (const ends of [true, false])
    for (const taken of [
      () => linesOf(alice),
      () => alice.export().blob(),
      () => new Response(alice.export().stream()).text(),
    ]) {
      cutForGood(ends);
      await expect(taken()).rejects.toMatchObject({ name: "EdgewiseError", code: "unavailable", retryable: true });
      server.cutExport(whole.length - 1, ends); // all but the last line
      for (let i = 0; i < 5; i++) server.cutExport(1, ends);
      await expect(taken()).rejects.toMatchObject({ code: "unavailable" });
    }
  server.cutExport(3); // before anything that one can go on behind
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "unavailable" });
});

/** An answer of the door with each line changed; null leaves it out. */
const changing =
  (change: (line: ExportLine, i: number) => unknown) =>
  (real: Fetch): Fetch =>
  async (url, init) => {
    const response = await real(url, init);
    if (!url.includes("/v1/me/export") || !response.ok) return response;
    const lines = (await response.text()).trimEnd().split("\n");
    const changed = lines.map((line, i) => change(JSON.parse(line), i)).filter((line) => line !== null);
    return new Response(changed.map((line) => `${JSON.stringify(line)}\n`).join(""));
  };

test("[CL-55] a line that is missing in the middle, or an end that counts others, is no whole file", async () => {
  let isOn = false;
  const { alice } = await talked({
    fetch: changing((line) => (isOn && line.type === "event" && line.event.seq === 7 ? null : line)),
  });
  isOn = true;
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "unavailable", detail: "lines are missing" });
});

test("[CL-55] where one answer holds no more the next is asked, and the end counts what came in all", async () => {
  let answers = 0;
  const short =
    (real: Fetch): Fetch =>
    async (url, init) => {
      const response = await real(url, init);
      if (!url.includes("/v1/me/export") || !response.ok) return response;
      const lines = (await response.text()).trimEnd().split("\n");
      answers += 1;
      if (lines.length < 40) return new Response(`${lines.join("\n")}\n`);
      const kept = lines.slice(0, 24).map((line) => JSON.parse(line) as ExportLine);
      const { event } = kept.at(-1) as Extract<ExportLine, { type: "event" }>;
      const of = (type: string) => kept.filter((line) => line.type === type).length;
      const last = JSON.parse(lines.at(-1) ?? "") as Extract<ExportLine, { type: "end" }>;
      const counts = Object.fromEntries(Object.keys(last.counts).map((type) => [type, of(type)]));
      const more = { type: "more", after: `${event.conversationId}.${event.seq}`, counts };
      return new Response([...kept, more].map((line) => `${JSON.stringify(line)}\n`).join(""));
    };
  const { whole } = await talked({ fetch: short });
  expect(answers).toBe(3);
  expect(whole.filter(({ type }) => type === "conversation" || type === "manifest")).toHaveLength(3);
  expect(whole.at(-1)).toMatchObject({ type: "end", counts: { conversation: 2, event: 65, device: 1, contact: 1 } });
});

test("[CL-55] what the server could not read fails, with its code", async () => {
  let isOn = false;
  const { alice } = await talked({
    fetch: changing((line) =>
      isOn && line.type === "event" && line.event.seq === 7 ? { type: "error", code: "internal" } : line,
    ),
  });
  isOn = true;
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "internal" });
});

test("[CL-55] [CL-42] it renews the token, is refused as any call is, and says so when nobody is there", async () => {
  const { server, alice, text } = await talked();
  server.expireTokens();
  expect(textsOf(await linesOf(alice))).toEqual(text);
  server.refuseNext("exportMe", "rate_limited", 5);
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 5 });
  server.cutExport(20);
  server.stop();
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "unavailable" });
  server.start();
  await alice.signOut();
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "unauthenticated" });
});

/** A server that sends so many lines of an export, and nothing more. */
const hanging = (server: Fake, lines: number) => {
  let pulled = 0;
  let cancelled = false;
  const fetch: Fetch = async (url, init) => {
    const response = await server.options.fetch(url, init);
    if (!url.includes("/v1/me/export")) return response;
    const all = (await response.text()).split("\n").slice(0, lines);
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const line = all[pulled++];
          if (line !== undefined) controller.enqueue(new TextEncoder().encode(`${line}\n`));
          return line === undefined ? new Promise(() => {}) : undefined;
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return new Response(body);
  };
  return { fetch, pulled: () => pulled, isCancelled: () => cancelled };
};

test("[CL-55] it can be aborted before, while nothing comes, and between two tries", async () => {
  const server = fakeServer();
  const wire = hanging(server, 3);
  const alice = await signUp(server, "alice", { fetch: wire.fetch });
  await expect(linesOf(alice, AbortSignal.abort(new Error("not now")))).rejects.toThrow("not now");
  expect(wire.pulled()).toBe(0);
  const controller = new AbortController();
  const taken = linesOf(alice, controller.signal);
  await until(() => wire.pulled() > 3);
  controller.abort(new Error("enough"));
  await expect(taken).rejects.toThrow("enough");
  await until(wire.isCancelled);
  const bob = await signUp(server, "bob", {});
  await bob.conversations.createGroup({ title: "one", memberIds: [] });
  server.cutExport(6);
  const other = new AbortController();
  const file = bob.export({ signal: other.signal }).blob(); // it pauses for a second before it goes on
  setTimeout(() => other.abort(new Error("no more")), 200);
  await expect(file).rejects.toThrow("no more");
});

test("[CL-55] no more is asked for than is read, and who stops reading lets go of the wire", async () => {
  const server = fakeServer();
  const wire = hanging(server, 100);
  const alice = await signUp(server, "alice", { fetch: wire.fetch });
  const place = await alice.conversations.createGroup({ title: "one", memberIds: [] });
  await Promise.all(Array.from({ length: 30 }, (_, i) => place.send(`${i}`).sent));
  let events = 0;
  for await (const line of alice.export()) if (line.type === "event" && ++events === 5) break;
  expect(wire.pulled()).toBeLessThan(12);
  await until(wire.isCancelled);
});

test("[CL-55] a wire that has died without a word is given up", async () => {
  const server = fakeServer();
  const wire = hanging(server, 3);
  const alice = await signUp(server, "alice", { environment: impatient, fetch: wire.fetch });
  await expect(linesOf(alice)).rejects.toMatchObject({ code: "unavailable", detail: "nothing came any more" });
  expect(wire.isCancelled()).toBe(true);
});
