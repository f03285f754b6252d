import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { exportPKCS8, generateKeyPair, jwtVerify } from "jose";
import { PushReceiver } from "../../push-receiver.ts";
import { PATIENCE_MS } from "./patience.ts";

/** One request that arrived. `at`: epoch ms. */
export type Received = { path: string; headers: Record<string, string>; body: Buffer; at: number };
/** What an endpoint answers; `silence`: nothing, ever. */
type Answer = { status: number; headers?: Record<string, string>; json?: unknown } | "silence";

const TOKEN_PATH = "/oauth/token";
const PROJECT = "edgewise-test";
const FCM_PATH = `/v1/projects/${PROJECT}/messages:send`;

/** The browsers' push service and Google in one, on a loopback; it takes everything unless told otherwise. */
export class PushService {
  readonly received: Received[] = [];
  /** By path, what it answers next, in turn; the last one stays. */
  readonly answers = new Map<string, Answer[]>();
  /** The environment of a server that pushes here. */
  readonly env: Record<string, string>;
  readonly origin: string;
  readonly #server: Server;
  readonly #verify: (assertion: string) => Promise<boolean>;
  #granted = 0;

  private constructor(
    server: Server,
    origin: string,
    account: object,
    verify: (assertion: string) => Promise<boolean>,
  ) {
    this.#server = server;
    this.origin = origin;
    this.#verify = verify;
    this.env = { PUSH_HOSTS: origin, FCM_URL: origin, FCM_SERVICE_ACCOUNT: JSON.stringify(account) };
    server.on("request", (request, response) => void this.#take(request, response));
  }

  static async start(): Promise<PushService> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    const account = {
      project_id: PROJECT,
      client_email: "push@edgewise-test.example",
      private_key: await exportPKCS8(privateKey),
      token_uri: origin + TOKEN_PATH,
    };
    const expected = { issuer: account.client_email, audience: account.token_uri };
    const verify = (assertion: string) =>
      jwtVerify(assertion, publicKey, expected).then(
        () => true,
        () => false,
      );
    return new PushService(server, origin, account, verify);
  }

  /** A browser that has subscribed here. */
  browser(name: string): { path: string; receiver: PushReceiver; body: object } {
    const receiver = new PushReceiver();
    const path = `/wpush/${name}`;
    return { path, receiver, body: { endpoint: this.origin + path, keys: receiver.keys } };
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = request.url ?? "";
    const headers = request.headers as Record<string, string>;
    const one = { path, headers, body: Buffer.concat(chunks), at: Date.now() };
    this.received.push(one);
    const waiting = this.answers.get(path) ?? [];
    const answer = (waiting.length > 1 ? waiting.shift() : waiting[0]) ?? (await this.#usual(one));
    if (answer === "silence") return;
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
    response.end(JSON.stringify(answer.json ?? {}));
  }

  async #usual({ path, headers, body }: Received): Promise<Answer> {
    if (path === TOKEN_PATH) return this.#grant(body);
    if (path !== FCM_PATH) return { status: 201 };
    const isGranted = headers.authorization === `Bearer granted-${this.#granted}`;
    return isGranted ? { status: 200, json: { name: "projects/p/messages/1" } } : { status: 401 };
  }

  async #grant(body: Buffer): Promise<Answer> {
    const isOurs = await this.#verify(new URLSearchParams(body.toString()).get("assertion") ?? "");
    if (!isOurs) return { status: 400, json: { error: "invalid_grant" } };
    return { status: 200, json: { access_token: `granted-${++this.#granted}`, expires_in: 3_599 } };
  }

  at(path: string): Received[] {
    return this.received.filter((one) => one.path === path);
  }

  /** What FCM was given, by the device's token. */
  toPhone(token: string): { data: Record<string, string>; notification?: unknown; apns: unknown }[] {
    return this.at(FCM_PATH)
      .map(({ body }) => JSON.parse(body.toString()).message)
      .filter((message) => message.token === token);
  }

  /** Waits until there are so many; throws when there are not in time, or when there are more. */
  async expect<T>(count: number, of: () => T[], withinMs = PATIENCE_MS): Promise<T[]> {
    for (const end = Date.now() + withinMs; of().length < count && Date.now() < end; await sleep(20));
    if (of().length !== count) throw new Error(`${of().length} pushes instead of ${count}`);
    return of();
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
