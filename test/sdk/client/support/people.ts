import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import type { Client, ClientOptions } from "../../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../../src/sdk/client/client.ts";
import { type Environment, environmentOf } from "../../../../src/sdk/client/environment.ts";
import { memoryStorage } from "../../../../src/sdk/client/memory-storage.ts";
import type { Fake } from "../../../../src/sdk/testing.ts";

export const PASSWORD = "correct horse battery";

/** As in Node, but that no back-off is waited for. */
export const impatient: Environment = {
  ...environmentOf(),
  random: () => 0,
  after: (ms, act) => environmentOf().after(Math.min(ms, 20), act),
};

type Wanted = Partial<ClientOptions> & { environment?: Environment };

export async function open(server: Fake, { environment = environmentOf(), ...more }: Wanted = {}): Promise<Client> {
  const client = await createClientIn(environment, { ...server.options, storage: memoryStorage(), ...more });
  onTestFinished(() => client.close());
  return client;
}

export async function signUp(server: Fake, handle: string, more: Wanted = {}): Promise<Client> {
  const client = await open(server, more);
  await client.signUp({ handle, password: PASSWORD });
  await live(client);
  return client;
}

export const live = (client: Client): Promise<void> => until(() => client.connection.is === "live");

/** Waits until it is so. */
export async function until(test: () => boolean, withinMs = 60_000): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(2)) if (test()) return;
  expect(test.toString()).toBe("so in time");
}

export const texts = (client: Client, id: string): string[] =>
  client.conversations
    .get(id)
    .messages()
    .flatMap((line) => (line.is === "message" ? [line.text] : []));
