import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PATIENCE_MS } from "./patience.ts";
import { freePort, portFree, processTree, type Share, shareOf } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const NODE = join(ROOT, "node_modules/node/bin/node");

/** The real server's program and arguments. dist/ is taken as it is: whoever runs these tests has built it. */
const REAL = ["scripts/start.ts", "--built"];

/** The real server, or one that is started alike, in a process group of its own over a data directory that outlives it. */
export class Server {
  readonly port: number;
  readonly dataDir: string;
  readonly url: string;
  readonly #program: string[];
  readonly #env: Record<string, string>;
  #child: ChildProcess | undefined;
  #output = "";

  constructor(port: number, dataDir: string, program: string[], env: Record<string, string>) {
    this.port = port;
    this.dataDir = dataDir;
    this.url = `http://127.0.0.1:${port}`;
    this.#program = program;
    this.#env = env;
  }

  /** Everything it printed since it was made. */
  get output(): string {
    return this.#output;
  }

  /** Starts on the same data and waits for `GET /healthz`. Milliseconds until it answered. */
  async start(): Promise<number> {
    const startedAt = Date.now();
    const env = { ...process.env, ...this.#env, PORT: String(this.port), DATA_DIR: this.dataDir };
    const child = spawn(NODE, this.#program, { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (this.#output += chunk));
    this.#child = child;
    while (!(await this.isHealthy())) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.#output}`);
      if (Date.now() - startedAt > PATIENCE_MS) throw new Error(`the server did not answer:\n${this.#output}`);
      await sleep(50);
    }
    return Date.now() - startedAt;
  }

  async isHealthy(withinMs = 2_000): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(withinMs) });
      return answer.ok && (await answer.text()).includes("ok");
    } catch {
      return false;
    }
  }

  /** SIGKILL to every process of it at once, as a power cut would; waits for the port to be free. */
  kill9(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Asks it to end, as Ctrl-C does, and makes sure of it. */
  async stop(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    const ended = new Promise((resolve) => this.#child?.once("exit", resolve));
    signal(-pid, "SIGTERM");
    await Promise.race([ended, sleep(3_000)]);
    await this.#end("SIGKILL");
  }

  /** As `kill9`, without waiting for anything. */
  killNow(): void {
    signal(-(this.#child?.pid ?? 0), "SIGKILL");
  }

  async #end(how: NodeJS.Signals): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    const tree = processTree(pid);
    signal(-pid, how);
    for (const process of tree) signal(process.pid, how); // one that left the group
    this.#child = undefined;
    await portFree(this.port);
  }

  /** Ends it and deletes its data. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** CPU seconds, user and system, since the start, by what used them. */
  cpuSeconds(): Record<Share, number> {
    return this.#sum((process) => process.cpuSeconds);
  }

  /** Resident bytes by what holds them. */
  rssBytes(): Record<Share, number> {
    return this.#sum((process) => process.rssBytes);
  }

  #sum(of: (process: ReturnType<typeof processTree>[number]) => number): Record<Share, number> {
    const sums = { workerd: 0, rest: 0 };
    for (const process of processTree(this.#child?.pid ?? -1)) sums[shareOf(process)] += of(process);
    return sums;
  }
}

/** Lines that tell of a bug. What the runtime itself says of a client that breaks the WebSocket protocol is none. */
export const bugsIn = (output: string): string[] =>
  output
    .split("\n")
    .filter(
      (line) => /"level":"error"|Uncaught|internal error/.test(line) && !line.includes("WebSocket protocol error"),
    );

function signal(pid: number, how: NodeJS.Signals): void {
  if (pid === 0) return; // our own group
  try {
    process.kill(pid, how);
  } catch {
    // it has ended already
  }
}

/** Starts the real server, or another program, on a free port over a new data directory. `env`: on top of this process's own. */
export async function startServer(program = REAL, env: Record<string, string> = {}): Promise<Server> {
  const server = new Server(await freePort(), mkdtempSync(join(tmpdir(), "edgewise-")), program, env);
  process.once("exit", () => server.killNow()); // nothing outlives a test run that was broken off
  await server.start();
  return server;
}
