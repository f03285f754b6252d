import { signal } from "@preact/signals";
import { tell } from "./shows.ts";

const SCRIPT = "/sw.js";
type Policies = { createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => unknown };

/** [AP-1] The page's policy lets no text become a script; the one address that may is that of its own service worker. */
export function allowOwnWorker(): void {
  const policies = Reflect.get(globalThis, "trustedTypes") as Policies | undefined;
  policies?.createPolicy("default", {
    createScriptURL: (url) => {
      if (url !== SCRIPT) throw new TypeError(`no script may come from ${url}`);
      return url;
    },
  });
}

/** [AP-4] The service worker keeps the page itself, so that it starts without a network; a newer page is told of. */
export async function startWorker(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const { serviceWorker } = navigator;
  const wasControlled = serviceWorker.controller !== null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (wasControlled) tell("A newer version is here: reload the page to use it");
  });
  await serviceWorker.register(SCRIPT).catch(() => {}); // the page works without it, as long as there is a network
}

type Prompt = Event & { prompt: () => Promise<unknown> };
/** What the browser offers to install the page with; null: it offers nothing. */
export const installing = signal<Prompt | null>(null);
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installing.value = event as Prompt;
});
addEventListener("appinstalled", () => {
  installing.value = null;
});
export async function install(): Promise<void> {
  await installing.value?.prompt();
  installing.value = null;
}
