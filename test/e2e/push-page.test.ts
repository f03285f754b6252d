import { type Browser, type BrowserContext, type CDPSession, chromium, type Page, type Worker } from "@playwright/test";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { PushPayload } from "../../src/protocol/push.ts";
import { signUp } from "./support/client.ts";
import { must } from "./support/door.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { newPerson, see } from "./support/person.ts";
import { PushService } from "./support/push-service.ts";
import { type Server, startServer } from "./support/server.ts";

let service: PushService;
let server: Server;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let worker: Worker;
let session: CDPSession;
let registrationId: string;

const RUNG = `g${"0".repeat(26)}`;
const OTHER = `d${"1".repeat(26)}`;
const SENDER = { userId: "01J00000000000000000000002", displayName: "Ada" };

beforeAll(async () => {
  service = await PushService.start();
  server = await startServer(undefined, service.env);
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args });
  context = await browser.newContext();
  await context.grantPermissions(["notifications"], { origin: server.url });
  page = await context.newPage();
  await page.goto(server.url);
  session = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) =>
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      if (registrations[0]) resolve(registrations[0].registrationId);
    }),
  );
  await session.send("ServiceWorker.enable");
  await page.evaluate("navigator.serviceWorker.ready.then(() => {})");
  worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  registrationId = await registered;
  await worker.evaluate(COUNT);
});
afterAll(async () => {
  await browser?.close();
  await server?.remove();
  service?.stop();
});

/**
 * As the browser's push service would, and waits until the service worker is done with it: Chromium may lose a notification that is made while
 * somebody lists them. `data` may be anything.
 */
const deliver = (data: PushPayload | string): Promise<void> =>
  untilDone(() =>
    session.send("ServiceWorker.deliverPushMessage", {
      origin: server.url,
      registrationId,
      data: typeof data === "string" ? data : JSON.stringify(data),
    }),
  );
async function untilDone(act: () => Promise<unknown>): Promise<void> {
  const before = await worker.evaluate<number>("doneCount");
  await act();
  await expect.poll(() => worker.evaluate("doneCount"), { timeout: PATIENCE_MS, interval: 20 }).toBe(before + 1);
}
const COUNT = `{
  globalThis.doneCount = 0;
  const waitUntil = ExtendableEvent.prototype.waitUntil;
  ExtendableEvent.prototype.waitUntil = function (work) {
    const count = () => void doneCount++;
    work.then(count, count);
    waitUntil.call(this, work);
  };
}`;
const message = (seq: number, told: object = {}): PushPayload =>
  ({ type: "message", conversationId: RUNG, seq, unread: seq, ...told }) as PushPayload;
const read = (seq: number, conversationId = RUNG) => ({ type: "read", conversationId, seq, unread: 0 }) as PushPayload;

type Shown = { title: string; body: string; tag: string; seq: number };
/** Code that runs in the service worker or the page is text: its types are not ours. */
const shown = (): Promise<Shown[]> =>
  worker.evaluate(`registration.getNotifications().then((all) =>
    all.map(({ title, body, tag, data }) => ({ title, body, tag, seq: data.seq })))`);
const isShown = (seqs: number[]) =>
  expect.poll(async () => (await shown()).map(({ seq }) => seq).toSorted()).toEqual(seqs);
/** Nobody looks at the app: the tab is elsewhere, and the browser knows. */
async function lookAway(): Promise<void> {
  await page.goto("about:blank");
  const windows = () => worker.evaluate("clients.matchAll({ includeUncontrolled: true }).then((all) => all.length)");
  await expect.poll(windows).toBe(0);
}

beforeEach(async () => {
  await lookAway();
  for (const conversationId of [RUNG, OTHER]) await deliver(read(1_000, conversationId));
  await isShown([]);
});

test("[PU-37] a push shows who, where and what; the next of the conversation takes its place, another's stands beside it", async () => {
  await deliver(message(1, { sender: SENDER, title: "Hiking", text: "Saturday?" }));
  await isShown([1]);
  expect(await shown()).toEqual([{ title: "Hiking", body: "Ada: Saturday?", tag: RUNG, seq: 1 }]);
  await deliver(message(2, { sender: SENDER, text: "Or Sunday?" }));
  await isShown([2]);
  expect(await shown()).toEqual([{ title: "Ada", body: "Or Sunday?", tag: RUNG, seq: 2 }]);
  await deliver({ ...message(1), conversationId: OTHER } as PushPayload);
  await isShown([1, 2]);
  expect((await shown()).find(({ tag }) => tag === OTHER)).toMatchObject({ title: "Edgewise", body: "New message" });
});

test("[PU-37] the same push again, an older one, and garbage ring nothing", async () => {
  await worker.evaluate(`{
    const show = registration.showNotification.bind(registration);
    globalThis.rings = [];
    registration.showNotification = (title, options) => {
      rings.push(options.data.seq);
      return show(title, options);
    };
  }`);
  for (const push of [message(5), message(5), message(3), "not JSON", '{"type":"unknown"}', message(6)])
    await deliver(push);
  await isShown([6]);
  expect(await worker.evaluate("rings")).toEqual([5, 6]);
});

test("[PU-37] whoever has the page before them is not rung", async () => {
  await worker.evaluate(`{
    const matchAll = clients.matchAll.bind(clients);
    globalThis.looks = 0;
    clients.matchAll = (options) => (looks++, matchAll(options));
  }`);
  await page.goto(server.url);
  await page.bringToFront();
  await deliver(message(1));
  await expect.poll(() => worker.evaluate("looks")).toBe(1); // it was looked who is there
  await lookAway();
  await deliver({ ...message(2), conversationId: OTHER } as PushPayload); // comes after the other is done with
  await isShown([2]);
});

test("[PU-38] reading elsewhere takes down what rang up to there, and no more; the badge is what is left", async () => {
  await worker.evaluate("globalThis.badges = []; navigator.setAppBadge = async (count) => void badges.push(count);");
  await deliver(message(4));
  await deliver({ ...message(3), conversationId: OTHER } as PushPayload);
  await isShown([3, 4]);
  await deliver(read(3));
  await deliver(read(3, OTHER));
  await isShown([4]);
  await deliver(read(4));
  await isShown([]);
  expect(await worker.evaluate("badges")).toEqual([4, 7, 7, 4, 0]);
});

test("[PU-39] a click goes to the conversation in the page that is open, or opens one there", async () => {
  const click = () =>
    untilDone(() =>
      worker.evaluate(`registration.getNotifications().then(([notification]) =>
        void dispatchEvent(new NotificationEvent("notificationclick", { notification })))`),
    );
  await deliver(message(1));
  await isShown([1]);
  await page.goto(server.url);
  await page.evaluate("told = []; navigator.serviceWorker.onmessage = ({ data }) => void told.push(data);");
  await click();
  await expect.poll(() => page.evaluate("told")).toEqual([{ type: "open", conversationId: RUNG }]);
  await isShown([]);

  await lookAway();
  await deliver(message(2));
  await isShown([2]);
  await worker.evaluate("globalThis.opened = []; clients.openWindow = async (url) => (opened.push(url), null);");
  await click();
  await expect.poll(() => worker.evaluate("opened")).toEqual([`/#${RUNG}`]);
});

/** The browser's own service, which no test can reach, replaced by ours; everything else of the page is as it is. */
const stubOf = (subscription: object) => `{
  const told = ${JSON.stringify(subscription)};
  const kept = () => JSON.parse(localStorage.getItem("test.key") ?? "null");
  const made = (key) => key && {
    endpoint: told.endpoint,
    options: { applicationServerKey: Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)).buffer },
    toJSON: () => ({ ...told, expirationTime: null }),
    unsubscribe: async () => (localStorage.removeItem("test.key"), true),
  };
  PushManager.prototype.getSubscription = async () => made(kept());
  PushManager.prototype.subscribe = async ({ applicationServerKey: key }) => (localStorage.setItem("test.key", JSON.stringify(key)), made(key));
}`;

test("[PU-42] who turns it on in the page is rung by the browser while the page is closed, until it is turned off", async () => {
  const anna = await newPerson(browser, server.url, "anna");
  await anna.context.grantPermissions(["notifications"], { origin: server.url });
  const { path, receiver, body } = service.browser("anna");
  await anna.context.addInitScript(stubOf(body));
  const turn = async (on: boolean) => {
    await anna.page.goto(server.url);
    await anna.isConnected();
    await anna.page.getByRole("button", { name: "Settings" }).click();
    await see(anna.page.locator("#push-on")).toBeChecked({ checked: !on });
    const isTold = anna.page.waitForResponse((answer) => answer.url().endsWith("/v1/push/subscription"));
    await anna.page.locator("#push-on").click();
    await isTold;
    await see(anna.page.locator("#push-on")).toBeEnabled();
    await see(anna.page.locator("#push-on")).toBeChecked({ checked: on });
    await anna.page.goto("about:blank");
  };
  const ben = await signUp(server.url, "ben");
  const { userId } = await must(server.url, "findUser", { query: { handle: "anna" }, token: ben.token });
  const { conversation } = await must(server.url, "openDirect", { params: { userId }, token: ben.token });
  await turn(true);
  await ben.outbox.addByHttp(conversation.conversationId, "Ring, ring");
  const [rung] = await service.expect(1, () => service.at(path));
  const plain = receiver.open(rung?.body ?? Buffer.of());
  expect(JSON.parse(plain)).toMatchObject({ type: "message", text: "Ring, ring", sender: { displayName: "ben" } });
  await deliver(plain);
  await expect.poll(async () => (await shown())[0]?.body).toBe("Ring, ring");
  await turn(false);
  await ben.outbox.addByHttp(conversation.conversationId, "Hello?");
  await anna.page.waitForTimeout(2_500);
  expect(service.at(path).length).toBe(1);
  expect(anna.complaints).toEqual([]);
  await anna.context.close();
});
