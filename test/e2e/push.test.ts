import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyVapid } from "../push-receiver.ts";
import { type Device, signIn, signUp } from "./support/client.ts";
import { call, must } from "./support/door.ts";
import { PushService } from "./support/push-service.ts";
import { type Server, startServer } from "./support/server.ts";

let service: PushService;
let server: Server;
let alice: Device;

beforeAll(async () => {
  service = await PushService.start();
  server = await startServer(undefined, service.env);
  alice = await signUp(server.url, "alice");
});
afterAll(async () => {
  await server?.remove();
  service?.stop();
});

const subscribe = (device: Device, body: object) => must(server.url, "subscribePush", { token: device.token, body });
const openWith = async (peer: Device): Promise<string> =>
  (await must(server.url, "openDirect", { params: { userId: peer.userId }, token: alice.token })).conversation
    .conversationId;
/** Says it, and answers its seq. */
async function say(place: string, text: string): Promise<number> {
  await alice.outbox.addByHttp(place, text);
  return alice.outbox.acked.at(-1)?.ack.seq ?? 0;
}
const pushesOf = async (id: string, seq: number, userId: string) => {
  const trace = await must(server.url, "trace", { params: { id, seq: String(seq) }, token: alice.token });
  return trace.members.find((member) => member.userId === userId)?.pushes.map(({ answer }) => answer);
};
/** A person whose phone, a browser, has subscribed, was connected, and is not any more. */
async function somebodyOffline(handle: string) {
  const phone = await signUp(server.url, handle);
  const browser = service.browser(handle);
  await subscribe(phone, browser.body);
  const place = await openWith(phone);
  await phone.connect();
  await phone.caughtUp();
  phone.wire?.cut();
  await phone.wire?.closed;
  const heard = () => service.at(browser.path).map(({ body }) => JSON.parse(browser.receiver.open(body)));
  return { phone, place, heard, ...browser };
}

test("[PU-23] [PU-24] a phone that is offline is rung with who, what and how many; the newest replaces what waits", async () => {
  const { phone, place, heard, path } = await somebodyOffline("bob");
  const first = await say(place, "Are you there?");
  await service.expect(1, () => service.at(path));
  const second = await say(place, "Ünïcode 🌊");
  await service.expect(2, () => service.at(path));
  const message = { type: "message", conversationId: place, sender: { userId: alice.userId, displayName: "alice" } };
  expect(heard().toSorted((a, b) => a.seq - b.seq)).toEqual([
    { ...message, seq: first, unread: 1, text: "Are you there?" },
    { ...message, seq: second, unread: 2, text: "Ünïcode 🌊" },
  ]);
  const { publicKey } = await must(server.url, "pushKey", { token: phone.token });
  for (const { headers } of service.at(path)) {
    expect(headers).toMatchObject({ topic: place, urgency: "high", "content-encoding": "aes128gcm" });
    expect(Number(headers.ttl)).toBeGreaterThan(86_000);
    expect((await verifyVapid(headers.authorization ?? "", service.origin)).key).toBe(publicKey);
  }
  await expect.poll(() => pushesOf(place, second, phone.userId)).toEqual(["201"]);
});

test("[PU-25] [PU-26] a phone with an FCM token likewise, for one token of Google's", async () => {
  const phone = await signUp(server.url, "carol");
  await subscribe(phone, { fcmToken: "carols-phone", preview: false });
  const place = await openWith(phone);
  const seqs = [await say(place, "not for the lock screen"), await say(place, "nor this")];
  const messages = await service.expect(2, () => service.toPhone("carols-phone"));
  const bare = { type: "message", conversationId: place };
  expect(messages.map(({ data }) => data).toSorted((a, b) => Number(a.seq) - Number(b.seq))).toEqual([
    { ...bare, seq: String(seqs[0]), unread: "1" },
    { ...bare, seq: String(seqs[1]), unread: "2" },
  ]);
  expect(JSON.stringify(messages)).not.toMatch(/lock screen|alice/);
  expect(service.at("/oauth/token").length).toBe(1);
});

test("[PU-24] [PU-25] what is read on one device is taken down on the others, without a sound", async () => {
  const { phone, place, heard, path } = await somebodyOffline("dan");
  const tablet = await signIn(server.url, "dan", "tablet");
  await subscribe(tablet, { fcmToken: "dans-tablet" });
  const seq = await say(place, "read me");
  await service.expect(1, () => service.at(path));
  await service.expect(1, () => service.toPhone("dans-tablet"));
  const laptop = await signIn(server.url, "dan", "laptop");
  await laptop.connect();
  await laptop.caughtUp();
  laptop.wire?.tell({ type: "receipt", conversationId: place as never, read: seq });
  await service.expect(2, () => service.at(path));
  expect(heard()[1]).toEqual({ type: "read", conversationId: place, seq, unread: 0 });
  expect(service.at(path)[1]?.headers).toMatchObject({ topic: place, urgency: "normal" });
  const [, silent] = await service.expect(2, () => service.toPhone("dans-tablet"));
  expect(silent).toMatchObject({ data: { type: "read", seq: String(seq), unread: "0" } });
  expect(silent?.notification).toBeUndefined();
  expect(phone.faults).toEqual([]);
  laptop.cut();
});

test("[PU-28] an endpoint that is gone is asked once more and never again; the trace says why", async () => {
  const { phone, place, path } = await somebodyOffline("eve");
  service.answers.set(path, [{ status: 410 }]);
  const first = await say(place, "one");
  await service.expect(1, () => service.at(path));
  await expect.poll(() => pushesOf(place, first, phone.userId)).toEqual(["410"]);
  service.answers.delete(path);
  await say(place, "two");
  await sleep(2_500);
  expect(service.at(path).length).toBe(1);
  const again = service.browser("eve-again");
  await subscribe(phone, again.body);
  await say(place, "three");
  await service.expect(1, () => service.at(again.path));
  expect(service.at(path).length).toBe(1);
});

test("[PU-29] a push service that is away for a while, or silent, still gets the push; nothing comes twice", async () => {
  const { phone, place, heard, path } = await somebodyOffline("fay");
  service.answers.set(path, [{ status: 503, headers: { "retry-after": "1" } }, "silence", { status: 201 }]);
  const seq = await say(place, "patience");
  await service.expect(3, () => service.at(path));
  expect(heard().map((payload) => payload.seq)).toEqual([seq, seq, seq]);
  const [first, second, third] = service.at(path).map(({ at }) => at);
  expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(2_400);
  expect((third ?? 0) - (second ?? 0)).toBeGreaterThan(12_000); // given up after ten seconds, then put off
  await expect.poll(() => pushesOf(place, seq, phone.userId)).toEqual(["503", "201"]);
});

test("[PU-22] the Worker posts to nobody but the push services, wherever they point", async () => {
  const { phone, place, path } = await somebodyOffline("gus");
  service.answers.set(path, [{ status: 307, headers: { location: `${service.origin}/elsewhere` } }]);
  const seq = await say(place, "follow me");
  await service.expect(1, () => service.at(path));
  await expect.poll(() => pushesOf(place, seq, phone.userId)).toEqual(["307"]);
  expect(service.at("/elsewhere")).toEqual([]);
  const { keys } = service.browser("x").receiver;
  for (const endpoint of [`${server.url}/v1/me`, "http://localhost/x", "https://example.com/x"]) {
    const refused = await call(server.url, "subscribePush", { token: phone.token, body: { endpoint, keys } });
    expect(refused).toMatchObject({ ok: false, problem: { code: "invalid_request" } });
  }
});

test("[PU-21] who has taken it back, or signed out, is not rung", async () => {
  const hal = await somebodyOffline("hal");
  await must(server.url, "unsubscribePush", { token: hal.phone.token });
  const ivy = await somebodyOffline("ivy");
  await must(server.url, "signOut", { token: ivy.phone.token });
  for (const { place } of [hal, ivy]) await say(place, "hello?");
  const jan = await somebodyOffline("jan");
  await say(jan.place, "you at least");
  await service.expect(1, () => service.at(jan.path));
  await sleep(1_500);
  expect([service.at(hal.path), service.at(ivy.path)]).toEqual([[], []]);
});

test("[PU-41] no endpoint, token or key was printed", () => {
  expect(server.output).not.toMatch(/wpush|carols-phone|granted-|PRIVATE/);
  expect(alice.faults).toEqual([]);
});
