/** The service worker: starts the page without a network, and shows pushes while no page is open. It holds no token and asks no door. */
import { answerShell, dropOlder, keepShell } from "./keeping.ts";
import { readPayload } from "./payload.ts";
import { type Rung, rungOf, showBadge, takeDown, takeDownExpired, takeDownOne } from "./rung.ts";
import type { OpenConversation, PushPayload } from "./wire.ts";

declare const self: ServiceWorkerGlobalScope;
type Message = PushPayload & { type: "message" };
/** TypeScript's own lacks what Safari lacks. */
type Options = NotificationOptions & { renotify: boolean };

self.addEventListener("install", (event) => event.waitUntil(keepShell().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(dropOlder().then(() => self.clients.claim())));
self.addEventListener("fetch", answerShell);
self.addEventListener("push", (event) => event.waitUntil(inTurn(() => take(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification));
});

let turn: Promise<void> = Promise.resolve();
/** One push at a time: each looks at what the one before it has shown. */
function inTurn(work: () => Promise<void>): Promise<void> {
  turn = turn.then(work, work);
  return turn;
}

async function take(data: PushMessageData | null): Promise<void> {
  const payload = readPayload(data?.text());
  if (payload?.type === "read") await takeDown(self.registration, payload.conversationId, payload.seq);
  else if (payload?.type === "gone") await takeDownOne(self.registration, payload.conversationId, payload.seq);
  else if (payload) await ring(payload);
}

async function ring(message: Message): Promise<void> {
  const { conversationId, seq, unread, expiresAt } = message;
  await takeDownExpired(self.registration, Date.now());
  if (expiresAt !== undefined && expiresAt <= Date.now()) return; // [LM-18]
  const shown = await rungOf(self.registration, conversationId);
  if (shown.some(({ rung }) => rung.seq >= seq)) return; // [PU-37] a push may come twice, and late
  if (await isLookedAt()) return;
  const rung: Rung = { conversationId, seq, unread, ...(expiresAt === undefined ? {} : { expiresAt }) };
  const options: Options = { ...wordsOf(message), tag: conversationId, renotify: true, data: rung };
  await self.registration.showNotification(titleOf(message), options);
  await showBadge(self.registration);
}

/**
 * [PU-37] Whoever has the page before them sees the message there. Chromium and Firefox let that pass; Safari takes a subscription away whose
 * pushes show nothing, whatever is on the screen.
 */
async function isLookedAt(): Promise<boolean> {
  const subscription = await self.registration.pushManager.getSubscription();
  if (subscription && new URL(subscription.endpoint).hostname.endsWith(".push.apple.com")) return false;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return windows.some(({ focused, visibilityState }) => focused && visibilityState === "visible");
}

const titleOf = ({ title, sender }: Message): string => title ?? sender?.displayName ?? "Edgewise";

/** In a group the text says who wrote it; where nothing may be told there is still a message. */
function wordsOf({ title, sender, text = "New message" }: Message): { body: string } {
  return { body: title !== undefined && sender ? `${sender.displayName}: ${text}` : text };
}

/** [PU-39] Goes to the conversation in a page that is open, or in a new one. */
async function open({ tag, data }: Notification): Promise<void> {
  await showBadge(self.registration);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = windows.find(({ focused }) => focused) ?? windows[0];
  if (!page) {
    await self.clients.openWindow(`/#${tag}`);
    return;
  }
  const message: OpenConversation = { type: "open", conversationId: data.conversationId };
  page.postMessage(message);
  await page.focus().catch(() => {}); // it is told all the same
}
