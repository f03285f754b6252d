import type { Client, ClientOptions } from "./api.ts";
import { type Environment, environmentOf } from "./environment.ts";
import { openClient } from "./inside.ts";

/**
 * Opens the local store and answers at once, before any network; where somebody is signed in it connects by itself. Throws where there is
 * no `WebSocket`, or the store cannot be opened.
 */
export const createClient = (options: ClientOptions): Promise<Client> => createClientIn(environmentOf(), options);

/** As `createClient`, with a platform of the caller's making. */
export const createClientIn = async (environment: Environment, options: ClientOptions): Promise<Client> =>
  (await openClient(environment, options)).client;
