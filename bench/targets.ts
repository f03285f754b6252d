import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { base64url, SignJWT } from "jose";
import { ulid } from "ulid";
import { must } from "../test/e2e/support/door.ts";
import { type Server, startServer } from "../test/e2e/support/server.ts";
import { AWAY, CROWD, PAIRS } from "./scenarios.ts";
import { BenchSocket } from "./socket.ts";

type Person = { userId: string; token: string };
/** Everybody who is needed, connected. */
type Cast = { people: (Person & { socket: BenchSocket })[]; conversations: string[]; groupId: string };
type Away = { conversationId: string; held: number; cursor: string | null; token: string };

/** How people and conversations come to be on a server; the sockets are the same everywhere. */
type Makers = {
  people: (count: number) => Promise<Person[]>;
  direct: (a: Person, b: Person) => Promise<string>;
  group: (members: Person[]) => Promise<string>;
  /** A device nobody has signed up: enough for the socket. */
  stranger: () => Promise<string>;
};

/** One of the two servers that are measured, with its people. */
export class Target {
  readonly name: string;
  readonly server: Server;
  readonly #makers: Makers;
  cast: Cast = { people: [], conversations: [], groupId: "" };
  away: Away = { conversationId: "", held: 0, cursor: null, token: "" };
  crowd: { token: string; cursor: string | null }[] = [];

  constructor(name: string, server: Server, makers: Makers) {
    this.name = name;
    this.server = server;
    this.#makers = makers;
  }

  open(token: string): Promise<BenchSocket> {
    return BenchSocket.open(this.server.url, token);
  }

  /** A hundred people, online: fifty direct conversations and a group of all of them. */
  async gather(): Promise<void> {
    const people = await this.#makers.people(2 * PAIRS);
    const pairs = Array.from({ length: PAIRS }, (_, i) => people.slice(2 * i, 2 * i + 2));
    const conversations = await Promise.all(pairs.map(([a, b]) => this.#makers.direct(a as Person, b as Person)));
    const groupId = await this.#makers.group(people);
    const online = await Promise.all(
      people.map(async (person) => ({ ...person, socket: await this.open(person.token) })),
    );
    await Promise.all(online.map(({ socket }) => socket.hello(null)));
    this.cast = { people: online, conversations, groupId };
  }

  /** The second of two people goes away for a thousand messages. */
  async leaveAway(): Promise<void> {
    const [a, b] = (await this.#makers.people(2)) as [Person, Person];
    const conversationId = await this.#makers.direct(a, b);
    const [sender, reader] = await Promise.all([this.open(a.token), this.open(b.token)]);
    const [, cursor] = await Promise.all([sender.hello(null), reader.hello(null)]);
    const { head } = await reader.pull(conversationId, 0);
    reader.close();
    for (let n = 0; n < AWAY; n += 20) {
      const texts = Array.from(
        { length: 20 },
        (_, i) => `${n + i} while you were away, something was said that you will want to read`,
      );
      await Promise.all(texts.map((text) => sender.send(conversationId, text)));
    }
    sender.close();
    this.away = { conversationId, held: head, cursor, token: b.token };
  }

  /** Everybody loses their socket. */
  disperse(): void {
    this.crowd = this.cast.people.map(({ token, socket }) => ({ token, cursor: socket.cursor }));
    for (const { socket } of this.cast.people) socket.close();
  }

  /** A thousand people's devices that have been here before and hold a cursor: those who were gathered, and strangers. */
  async gatherCrowd(): Promise<void> {
    const count = CROWD - this.crowd.length;
    const tokens = await Promise.all(Array.from({ length: count }, () => this.#makers.stranger()));
    for (let i = 0; i < tokens.length; i += 50) {
      this.crowd.push(...(await Promise.all(tokens.slice(i, i + 50).map((token) => this.#visit(token)))));
    }
  }

  async #visit(token: string): Promise<{ token: string; cursor: string | null }> {
    const socket = await this.open(token);
    const cursor = await socket.hello(null);
    socket.close();
    return { token, cursor };
  }
}

/** The real server: people sign up at the door, and the crowd's tokens are signed with the server's own key. */
export async function startReal(): Promise<Target> {
  const server = await startServer();
  const { url } = server;
  const sign = await signer(server.dataDir);
  return new Target("edgewise", server, {
    people: (count) => Promise.all(Array.from({ length: count }, () => signUp(url))),
    direct: async (a, b) =>
      (await must(url, "openDirect", { params: { userId: b.userId }, token: a.token })).conversation.conversationId,
    group: async ([maker, ...others]) => {
      const body = { title: "bench", memberIds: others.map(({ userId }) => userId) };
      return (await must(url, "createGroup", { body, token: maker?.token ?? "" })).conversation.conversationId;
    },
    stranger: () => sign(ulid(), ulid()),
  });
}

async function signUp(url: string): Promise<Person> {
  const body = { handle: `b${ulid()}`, password: "correct horse battery", displayName: "B", device: { name: "bench" } };
  const { user, accessToken } = await must(url, "signUp", { body });
  return { userId: user.userId, token: accessToken };
}

/** Signs access tokens as the server does (src/platform/tokens.ts): argon2 for a thousand sign-ups would be a minute of CPU. */
async function signer(dataDir: string): Promise<(userId: string, deviceId: string) => Promise<string>> {
  const { TOKEN_KEYS } = parseEnv(readFileSync(join(dataDir, "secrets.env"), "utf8"));
  const key = base64url.decode(TOKEN_KEYS?.split(",")[0] ?? "");
  return (userId, deviceId) =>
    new SignJWT({ device: deviceId })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
      .setSubject(userId)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(key);
}

/** The ceiling: a user's id is their token, and a conversation is whoever joined it. */
export async function startCeiling(): Promise<Target> {
  const server = await startServer(["bench/ceiling/start.ts"]);
  const join = async (members: Person[]) => {
    const conversationId = ulid();
    const body = JSON.stringify(members.map(({ userId }) => userId));
    await fetch(`${server.url}/join/${conversationId}`, { method: "POST", body });
    return conversationId;
  };
  return new Target("ceiling", server, {
    people: async (count) => Array.from({ length: count }, () => ulid()).map((userId) => ({ userId, token: userId })),
    direct: (a, b) => join([a, b]),
    group: join,
    stranger: async () => ulid(),
  });
}
