/** The service worker's other half: it keeps the page itself, so that it starts at once and without a network. [AP-4] */

declare const self: ServiceWorkerGlobalScope;
/** Written by the build: the page's files, and a name for them all. */
declare const SHELL: { files: string[]; version: string };

const PREFIX = "edgewise.shell.";
const CACHE = PREFIX + SHELL.version;
const FILES = new Set(SHELL.files);

/** All of it or nothing: a page of two versions would be neither. */
export async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.files.map((file) => new Request(file, { cache: "no-cache" })));
}

/** What older versions kept. */
export async function dropOlder(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}

/** What is kept is answered from there; everything else, the server's doors above all, goes to the network untouched. */
export function answerShell(event: FetchEvent): void {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || !FILES.has(pathname)) return;
  event.respondWith(kept(request, pathname));
}

async function kept(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(pathname)) ?? fetch(request);
}
