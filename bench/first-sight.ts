import type { Page } from "@playwright/test";

/** What Lighthouse would say of a page's start, by Chromium's own counting. Ms, and bytes as they came over the wire. */
export type FirstSight = {
  /** When the largest thing in sight was painted. */
  lcpMs: number;
  /** How much moved by itself: the sum of all shifts, which is never less than what Lighthouse calls CLS. */
  cls: number;
  /** What tasks after the first paint took beyond 50 ms each. */
  tbtMs: number;
  transferredBytes: number;
  requests: number;
};

/** A middling phone and a slow 4G, as Lighthouse applies them (https://github.com/GoogleChrome/lighthouse/blob/main/core/config/constants.js). */
const CPU_RATE = 4;
const KILOBIT = 1_024 / 8;
const SLOW_4G = {
  ...{ offline: false, latency: 150 * 3.75 },
  ...{ downloadThroughput: 1_638.4 * 0.9 * KILOBIT, uploadThroughput: 750 * 0.9 * KILOBIT },
};
/** So long after all is there, nothing moves any more. Ms. */
const QUIET_MS = 2_000;

/** Runs before the page. */
const WATCH = `{
  const sight = (globalThis.sight = { lcp: 0, cls: 0, tasks: [] });
  const watch = (type, take) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch("largest-contentful-paint", ({ startTime }) => { sight.lcp = startTime; });
  watch("layout-shift", ({ value, hadRecentInput }) => { if (!hadRecentInput) sight.cls += value; });
  watch("longtask", ({ startTime, duration }) => sight.tasks.push({ startTime, duration }));
}`;
type Sight = { lcp: number; cls: number; tasks: { startTime: number; duration: number }[]; paint: number };
const SEEN = `({ ...sight, paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0 })`;

/** Opens the page as somebody who never was here, without the cache and the service worker; `ready` waits for what is to be there. */
export async function firstSight(page: Page, url: string, ready: () => Promise<unknown>): Promise<FirstSight> {
  const cdp = await page.context().newCDPSession(page);
  const came = { transferredBytes: 0, requests: 0 };
  cdp.on("Network.requestWillBeSent", () => (came.requests += 1));
  cdp.on("Network.loadingFinished", ({ encodedDataLength }) => (came.transferredBytes += encodedDataLength));
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  await cdp.send("Network.setBypassServiceWorker", { bypass: true });
  await cdp.send("Network.emulateNetworkConditions", SLOW_4G);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: CPU_RATE });
  await page.addInitScript({ content: WATCH });
  came.requests = came.transferredBytes = 0;
  await page.goto(url);
  await ready();
  await page.waitForTimeout(QUIET_MS);
  const { lcp, cls, tasks, paint } = await page.evaluate<Sight>(SEEN);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  await cdp.detach();
  const blocking = tasks.filter(({ startTime }) => startTime >= paint);
  const tbt = blocking.reduce((sum, { duration }) => sum + Math.max(0, duration - 50), 0);
  return { lcpMs: Math.round(lcp), cls: Math.round(cls * 1_000) / 1_000, tbtMs: Math.round(tbt), ...came };
}
