import fc from "fast-check";
import { expect, test } from "vitest";
import type { Client } from "../../../src/sdk/client/api.ts";
import { createClientIn } from "../../../src/sdk/client/client.ts";
import { memoryStorage } from "../../../src/sdk/client/memory-storage.ts";
import { fakeServer } from "../../../src/sdk/testing.ts";
import { impatient, PASSWORD, texts, until } from "./support/people.ts";

const who = fc.nat(1);
const act = fc.oneof(
  { weight: 10, arbitrary: fc.record({ act: fc.constant("send" as const), who }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("cut" as const, "reload" as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("cutBefore" as const),
      frame: fc.constantFrom(
        "ack" as const,
        "page" as const,
        "events" as const,
        "changed" as const,
        "caught_up" as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("refuse" as const),
      frame: fc.constantFrom("send" as const, "pull" as const, "hello" as const, "refresh" as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constantFrom("stop" as const, "start" as const, "expire" as const, "loseCursors" as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("pass" as const), ms: fc.nat(12) }) },
);

/**
 * Said and logged, the ack lost; repeated after the reconnect, refused for now, seen in the log, and the socket is gone again: nobody repeats
 * it any more, and what comes behind it must go out all the same. Found with seed -223172533.
 */
const HELD_UP = [
  { act: "cutBefore", frame: "ack" },
  { act: "refuse", frame: "send" },
  { act: "send", who: 1 },
  ...[0, 0, 0].map((who) => ({ act: "send" as const, who })),
  { act: "pass", ms: 0 },
  ...[0, 0, 0].map((who) => ({ act: "send" as const, who })),
  { act: "cutBefore", frame: "events" },
  { act: "send", who: 1 },
  { act: "refuse", frame: "send" },
] as const;

const WORLDS = Number(process.env.RUNS ?? 12);

test("[CL-43] [CL-45] whatever a network, a server and a reload do, each message is there once, in its writer's order, the same for all", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 60 }), async (acts) => {
      const server = fakeServer();
      const names = ["alice", "bob"] as const;
      const storages = names.map(() => memoryStorage());
      const open = (n: number): Promise<Client> =>
        createClientIn(impatient, { ...server.options, storage: storages[n] ?? memoryStorage() });
      const clients = [await open(0), await open(1)] as [Client, Client];
      for (const [n, handle] of names.entries()) await clients[n]?.signUp({ handle, password: PASSWORD });
      const { id } = await clients[0].conversations.openDirect((await clients[0].people.find("bob")).userId);
      const wanted: [string[], string[]] = [[], []];
      for (const each of acts) {
        if (each.act === "send") {
          const n = each.who as 0 | 1;
          const text = `${names[n]} ${wanted[n].length}`;
          wanted[n].push(text);
          clients[n].conversations.get(id).send(text);
        } else if (each.act === "cut") server.cut(names[each.who]);
        else if (each.act === "reload") {
          const n = each.who as 0 | 1;
          await clients[n].close();
          clients[n] = await open(n);
        } else if (each.act === "cutBefore") server.cutBefore(each.frame);
        else if (each.act === "refuse") server.refuseNext(each.frame, "unavailable");
        else if (each.act === "stop") server.stop();
        else if (each.act === "start") server.start();
        else if (each.act === "expire") server.expireTokens();
        else if (each.act === "loseCursors") server.loseCursors();
        else if (each.act === "pass") await new Promise((resolve) => setTimeout(resolve, each.ms));
      }
      server.start();
      const all = wanted[0].length + wanted[1].length;
      await until(() => clients.every((client) => texts(client, id).length === all && client.connection.is === "live"));
      const logged = server
        .log(id)
        .flatMap((e) => (e.kind === "message" && e.content.type === "text" ? [e.content.text] : []));
      for (const client of clients) expect(texts(client, id)).toEqual(logged);
      for (const n of [0, 1] as const) expect(logged.filter((text) => text.startsWith(names[n]))).toEqual(wanted[n]);
      await Promise.all(clients.map((client) => client.close()));
    }),
    { numRuns: WORLDS, examples: [[[...HELD_UP]]] },
  );
}, 300_000);
