import { newApp } from "../../src/platform/http.ts";
import { issueTokens } from "../../src/platform/tokens.ts";
import type { DeviceId, UserId } from "../../src/protocol/ids.ts";
import { mountAuth } from "../../src/routes/auth.ts";
import { mountContacts } from "../../src/routes/contacts.ts";
import { mountConversations } from "../../src/routes/conversations.ts";
import { mountEvents } from "../../src/routes/events.ts";
import { mountMe } from "../../src/routes/me.ts";
import { mountSocket } from "../../src/routes/socket.ts";
import { mountStars } from "../../src/routes/stars.ts";
import { mountUsers } from "../../src/routes/users.ts";
import type { Clockwork } from "./clockwork.ts";
import { Directory } from "./directory.ts";
import type { Server } from "./server.ts";
import type { ServerSocket } from "./sockets.ts";

/** An answer as a page has it. */
type Answer = { ok: boolean; status: number; headers: Headers; text: () => Promise<string> };
/** Whoever asks: a page that is gone hears of nothing. */
type Asker = { readonly isAlive: boolean; readonly hasNetwork: boolean };

type Call = {
  readonly asker: Asker;
  readonly url: string;
  readonly init: RequestInit;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

const URL_OF_ALL = "https://edgewise.example";

/** The real doors, over the directory and the objects, and the way to them: what is asked may be lost there or back, slow, or come twice. */
export class Internet {
  readonly url = URL_OF_ALL;
  readonly #works: Clockwork;
  readonly #server: Server;
  readonly #directory: Directory;
  readonly #app = newApp();

  constructor(works: Clockwork, server: Server, people: readonly UserId[]) {
    this.#works = works;
    this.#server = server;
    this.#directory = new Directory((act) => server.mayFail("database", act));
    for (const userId of people) this.#directory.addUser(userId, works.now);
    const limiter = { limit: async () => ({ success: true }) };
    Object.assign(server.runtime.env, {
      ...{ DIRECTORY: this.#directory, TOKEN_KEYS: "c2ltdWxhdGVkLWtleS1vZi10aGlydHktdHdvLWJ5dGVz" },
      ...{ WIDE_DEVICE: limiter, WIDE_ADDRESS: limiter, WIDE_HANDLE: limiter, WIDE_PEOPLE: limiter },
    });
    for (const mount of [mountAuth, mountMe, mountUsers, mountContacts, mountConversations, mountEvents])
      mount(this.#app);
    for (const mount of [mountStars, mountSocket]) mount(this.#app);
  }

  /** What signing in leaves on a device. `expiresAt`: by the server's clock. */
  async signIn(userId: UserId, deviceId: DeviceId, ageMs: number) {
    this.#directory.addDevice(deviceId, userId, this.#works.now);
    const tokens = await issueTokens(
      this.#server.runtime.env as never,
      { userId, deviceId, generation: 1 },
      this.#works.now - ageMs,
    );
    return { ...tokens, handle: userId.toLowerCase() };
  }

  #visit(url: string, init: RequestInit): Promise<Response> {
    const context = { waitUntil: () => {}, passThroughOnException: () => {} };
    return Promise.resolve(
      this.#app.fetch(new Request(url, init), this.#server.runtime.env as never, context as never),
    );
  }

  /** The other end of a new socket; null: it was refused, or nothing came of it. */
  async dial(protocols: readonly string[]): Promise<ServerSocket | null> {
    const headers = { upgrade: "websocket", "sec-websocket-protocol": protocols.join(", ") };
    const answer = await this.#visit(`${URL_OF_ALL}/v1/socket`, { headers });
    return (answer as unknown as { webSocket?: { far: ServerSocket } }).webSocket?.far ?? null;
  }

  /** As `fetch` of a page. */
  ask(asker: Asker, url: string, { signal, ...init }: RequestInit = {}): Promise<Answer> {
    this.#works.tell(() => `asks ${init.method} ${url}`);
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => asker.isAlive && reject(signal.reason));
      this.#send({ asker, url, init: init as RequestInit, resolve, reject });
    });
  }

  #send(call: Call): void {
    const { faults, delayMs } = this.#server.runtime;
    const isLost = !call.asker.hasNetwork || this.#works.chance(faults.lostCall);
    const isTwice = this.#works.chance(faults.repeated) && call.init.method === "GET";
    const isUnheard = this.#works.chance(faults.lostReply);
    if (isTwice) this.#works.after(delayMs(), () => void this.#carryOut(call));
    this.#works.after(delayMs(), () => {
      if (isLost) this.#lose(call);
      else void this.#answer(call, isUnheard);
    });
  }

  async #carryOut({ url, init }: Call): Promise<Answer> {
    const { ok, status, headers, ...answer } = await this.#visit(url, init).then(plainOf);
    headers.set("date", new Date(this.#works.now).toUTCString());
    const text = await answer.text();
    this.#works.tell(() => `is answered ${status} ${init.method} ${url} ${text.slice(0, 200)}`);
    return { ok, status, headers, text: async () => text };
  }

  async #answer(call: Call, isUnheard: boolean): Promise<void> {
    const answer = await this.#carryOut(call);
    if (isUnheard || !call.asker.hasNetwork) this.#lose(call);
    else this.#later(call, () => call.resolve(answer));
  }

  /** The page is told that it failed, or nothing at all. */
  #lose(call: Call): void {
    if (this.#works.chance(0.5)) this.#later(call, () => call.reject(new TypeError("network error")));
  }

  #later({ asker }: Call, settle: () => void): void {
    this.#works.after(this.#server.runtime.delayMs(), () => {
      if (asker.isAlive) settle();
    });
  }
}

const plainOf = (response: Response): Answer => ({
  ...{ ok: response.ok, status: response.status, headers: response.headers },
  text: () => response.text(),
});
