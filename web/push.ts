import type { Lend } from "./doors.ts";
import { readOpen } from "./payload.ts";
import { takeDown } from "./rung.ts";
import type { ConversationId, DeviceId } from "./wire.ts";

/**
 * Whether this device is told of messages while no page of it is open. `blocked`: the person has told the browser not to; `unsupported`:
 * this browser cannot (on an iPhone: not before the page is on the home screen); `not_offered`: this server does not push; `failed`: try
 * again later.
 */
export type Pushing = "on" | "off" | "blocked" | "unsupported" | "not_offered" | "failed";

/** A browser has one endpoint, shared by all devices (accounts) in it; which of them have told it to the server is kept here. */
const PREFIX = "edgewise.push.";
const keptAs = (deviceId: DeviceId): string => PREFIX + deviceId;
const SCRIPT = "/sw.js";

const isSupported = (): boolean =>
  "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;

/** Whether this device has asked for pushes and still gets them: what a switch on the page shows. Asks nobody. */
export async function isSubscribed(deviceId: DeviceId): Promise<boolean> {
  if (!isSupported() || Notification.permission !== "granted") return false;
  const current = await currentSubscription();
  return current !== null && localStorage.getItem(keptAs(deviceId)) === current.endpoint;
}

/**
 * Asks the person for the permission, the browser for an endpoint, and tells it to the server. To be called from a click, or browsers do
 * not ask. `preview`: pushes to this device may carry names and text.
 */
export async function subscribe(deviceId: DeviceId, lend: Lend, preview = true): Promise<Pushing> {
  if (!isSupported()) return "unsupported";
  if ((await Notification.requestPermission()) !== "granted") return "blocked";
  const key = await lend.call("pushKey");
  if (!key.ok) return key.code === "push_not_offered" ? "not_offered" : "failed";
  const subscription = await subscriptionFor(key.value.publicKey).catch(() => null);
  if (!subscription) return "failed";
  const { p256dh = "", auth = "" } = subscription.toJSON().keys ?? {};
  const { endpoint } = subscription;
  const told = await lend.call("subscribePush", { body: { endpoint, keys: { p256dh, auth }, preview } });
  if (!told.ok) return told.code === "push_not_offered" ? "not_offered" : "failed";
  localStorage.setItem(keptAs(deviceId), endpoint); // [PU-42]
  return "on";
}

/**
 * Once after each start of the page, for a device that was subscribed: a browser may have given up its endpoint or made another meanwhile.
 * Asks the person nothing, and does nothing for a device that never subscribed.
 */
export async function renewSubscription(deviceId: DeviceId, lend: Lend): Promise<void> {
  const kept = localStorage.getItem(keptAs(deviceId));
  if (kept === null || !isSupported() || Notification.permission !== "granted") return;
  if (!(await isSubscribed(deviceId))) await subscribe(deviceId, lend);
}

/**
 * Ends it, at the server and here. `lend` null: the device is signed out, so that the server has nothing to be told. To be called when
 * signing out, too, or the browser keeps an endpoint that nobody uses.
 */
export async function unsubscribe(deviceId: DeviceId, lend: Lend | null): Promise<Pushing> {
  if (lend !== null && !(await lend.call("unsubscribePush")).ok) return "failed";
  localStorage.removeItem(keptAs(deviceId));
  const others = Object.keys(localStorage).some((name) => name.startsWith(PREFIX));
  if (isSupported() && !others) await (await currentSubscription())?.unsubscribe();
  return "off";
}

/** Takes down what rang on this device for messages that the person has just read here. `seq`: up to which. */
export async function clearRung(conversationId: ConversationId, seq: number): Promise<void> {
  if (!isSupported()) return;
  const registration = await navigator.serviceWorker.getRegistration(SCRIPT);
  if (registration) await takeDown(registration, conversationId, seq);
}

/** Calls back when a notification was clicked while the page was open; one clicked while none was opens `/#conversationId`. */
export function onNotificationClick(open: (conversationId: ConversationId) => void): void {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    const clicked = readOpen(data);
    if (clicked) open(clicked.conversationId);
  });
}

async function currentSubscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(SCRIPT);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** The browser's subscription to this key; one to an older key of the server is given up. */
async function subscriptionFor(publicKey: string): Promise<PushSubscription> {
  await navigator.serviceWorker.register(SCRIPT);
  const { pushManager } = await navigator.serviceWorker.ready;
  const existing = await pushManager.getSubscription();
  if (existing && keyOf(existing) !== publicKey) await existing.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
}

const keyOf = ({ options }: PushSubscription): string =>
  btoa(String.fromCharCode(...new Uint8Array(options.applicationServerKey ?? new ArrayBuffer())))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
