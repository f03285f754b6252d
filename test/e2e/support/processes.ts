import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { PATIENCE_MS } from "./patience.ts";

/** One process as Linux tells it (proc(5)). Seconds of CPU since it started, user and system together. */
export type Process = { pid: number; parent: number; command: string; cpuSeconds: number; rssBytes: number };

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

function processOf(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold spaces; what follows is fields 3, 4, 5 … of proc(5).
    const rest = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const field = (n: number) => Number(rest[n - 3]);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    const cpuSeconds = (field(14) + field(15)) / TICKS_PER_SECOND;
    return { pid, parent: field(4), command, cpuSeconds, rssBytes: field(24) * PAGE_BYTES };
  } catch {
    return null; // it ended while we looked
  }
}

/** A process and all its descendants that live now. */
export function processTree(root: number): Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processOf(Number(name)))
    .filter((process) => process !== null);
  const tree = all.filter((process) => process.pid === root);
  for (const process of tree) tree.push(...all.filter((child) => child.parent === process.pid));
  return tree;
}

/** The runtime that serves, and whatever started and minds it. */
export type Share = "workerd" | "rest";
export const shareOf = ({ command }: Process): Share => (/workerd\S* serve /.test(command) ? "workerd" : "rest");

/** Below those that the system lends to connections: one of them would have the port of a server that was killed before it is back. */
const PORTS = { first: 15_000, count: 17_000 };

/** A port nobody listens on just now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    setTimeout(() => socket.destroy(), 500);
  });
}

/** Waits until nobody accepts on the port; throws after `withinMs`. */
export async function portFree(port: number, withinMs = PATIENCE_MS): Promise<void> {
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(20)) if (!(await listens(port))) return;
  throw new Error(`port ${port} is still in use`);
}
