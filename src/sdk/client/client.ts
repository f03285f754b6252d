import type { Client, ClientOptions, Fetch, WebSocketClass } from "./api.ts";
import { type Environment, environmentOf } from "./environment.ts";
import { indexedDbStorage } from "./indexed-db-storage.ts";
import { memoryStorage } from "./memory-storage.ts";
import { Opened } from "./opened.ts";
import type { Storage } from "./storage.ts";

/**
 * Opens the local store and answers at once, before any network; where somebody is signed in it connects by itself. Throws where there is
 * no `WebSocket`, or the store cannot be opened.
 */
export const createClient = (options: ClientOptions): Promise<Client> => createClientIn(environmentOf(), options);

/** As `createClient`, with a platform of the caller's making. */
export async function createClientIn(environment: Environment, options: ClientOptions): Promise<Client> {
  const WebSocket = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (!WebSocket) throw new Error("There is no global WebSocket here: pass one, as in createClient({ WebSocket })");
  const url = options.url.replace(/\/+$/, "");
  const name = `${options.profile ?? "default"}@${url}`;
  const store = await (options.storage ?? defaultStorage()).open(name);
  const fetch: Fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const opened = new Opened({ options, environment, WebSocket, url, name, store, fetch });
  await opened.start();
  return opened.client;
}

const defaultStorage = (): Storage => ("indexedDB" in globalThis ? indexedDbStorage() : memoryStorage());
