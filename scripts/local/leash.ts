import { type ChildProcess, spawn } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";

/**
 * workerd outlives a parent that was killed with -9 and keeps its port. So each one gets a watchdog: a shell that reads a pipe which only
 * this process writes to. When this process ends, in whatever way, the pipe closes and the shell kills workerd. Miniflare does not tell
 * the pid of what it starts; Node's `child_process` channel does.
 */
export function leashWorkerd(): void {
  subscribe("child_process", (message) => {
    const child = (message as { process: ChildProcess }).process;
    child.once("spawn", () => {
      if (child.spawnfile.includes("workerd")) leash(child);
    });
  });
}

function leash(child: ChildProcess): void {
  const script = 'read -r _; kill -9 "$0" 2>/dev/null';
  const watchdog = spawn("sh", ["-c", script, String(child.pid)], { stdio: ["pipe", "ignore", "ignore"] });
  // Its pid may be another process's by the time the pipe closes: the watchdog goes when its ward does.
  child.once("exit", () => watchdog.kill("SIGKILL"));
}

/** Calls back once when the parent is gone: npm killed with -9 takes nobody with it. A start that is not npm's may outlive its shell. */
export function onOrphaned(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, 250);
  timer.unref();
}
