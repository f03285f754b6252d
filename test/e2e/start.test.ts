import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { PATIENCE_MS } from "./support/patience.ts";
import { freePort, portFree, processTree } from "./support/processes.ts";

const ROOT = join(import.meta.dirname, "../..");
const DATA_DIR = mkdtempSync(join(tmpdir(), "edgewise-start-"));
/** What a test that failed has left running ends with the file. */
const started: ChildProcess[] = [];
afterAll(() => {
  for (const { pid, exitCode } of started) if (pid !== undefined && exitCode === null) end(pid);
  rmSync(DATA_DIR, { recursive: true, force: true });
});
function end(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // it has ended
  }
}

/** `npm start` as a person or a supervisor runs it, with what was built before. */
function npmStart(port: number) {
  const env = { ...process.env, PORT: String(port), DATA_DIR };
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn("npm", ["start", "--silent", "--", "--built"], { cwd: ROOT, env, stdio, detached: true });
  started.push(child);
  const told = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (told.out += chunk));
  child.stderr.on("data", (chunk) => (told.err += chunk));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, told, ended };
}

async function ready(start: ReturnType<typeof npmStart>): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; !start.told.out.includes("\n"); await sleep(50)) {
    if (Date.now() > until || start.child.exitCode !== null) throw new Error(`not ready: ${start.told.err}`);
  }
}

const isAlive = (pid: number) => existsSync(`/proc/${pid}`);
async function gone(pids: number[], withinMs = PATIENCE_MS): Promise<number[]> {
  for (const until = Date.now() + withinMs; pids.some(isAlive) && Date.now() < until; await sleep(50));
  return pids.filter(isAlive);
}

test("npm start says one line, keeps its secrets to itself, and says so when the port is taken", async () => {
  const port = await freePort();
  const first = npmStart(port);
  await ready(first);
  expect(first.told.out).toBe(`Edgewise is ready: open http://127.0.0.1:${port}\n`);
  expect(statSync(join(DATA_DIR, "secrets.env")).mode & 0o777).toBe(0o600);
  const second = npmStart(port);
  expect(await second.ended).toBe(1);
  expect(second.told.err).toMatch(new RegExp(`^Port ${port} is in use`, "m"));
  const tree = processTree(first.child.pid ?? 0).map(({ pid }) => pid);
  expect(tree.length).toBeGreaterThan(2);
  first.child.kill("SIGTERM");
  expect(await gone(tree)).toEqual([]);
});

test.each([
  ["node", /scripts\/start\.ts/],
  ["npm", /^npm start/],
])("when %s alone is killed with -9, nothing of it stays behind", async (_, pattern) => {
  const port = await freePort();
  const start = npmStart(port);
  await ready(start);
  const tree = processTree(start.child.pid ?? 0);
  const victim = tree.find(({ command }) => pattern.test(command) && !command.startsWith("sh "));
  if (!victim) throw new Error(`not found in ${JSON.stringify(tree)}`);
  process.kill(victim.pid, "SIGKILL");
  await portFree(port);
  expect(await gone(tree.map(({ pid }) => pid))).toEqual([]);
});
