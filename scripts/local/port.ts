import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  });

/** Whether the port is or soon becomes free: a server that was just killed needs a moment to let go of it. */
export async function becomesFree(port: number, withinMs = 2_000): Promise<boolean> {
  const until = Date.now() + withinMs;
  while (!(await isFree(port))) {
    if (Date.now() > until) return false;
    await sleep(100);
  }
  return true;
}
