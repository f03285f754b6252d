import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { ALIVE_MS, GRACE_MS } from "../../src/domain/presence.ts";
import type { Presence } from "../../src/protocol/states.ts";
import { type Device, signIn, signUp } from "./support/client.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { type Server, startServer } from "./support/server.ts";
import { openWire, type Wire } from "./support/wire.ts";

// Raw sockets against the real server, cut without a close: by a reset, and by a network that swallows everything.
let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server?.remove());

async function hello(device: Device, url: string): Promise<Wire> {
  const wire = await openWire(url, device.token);
  await wire.ask({ type: "hello", version: 1, cursor: null });
  return wire;
}

/** What the viewer is told when they ask; each asking is a lease of a minute, too. */
async function ask(viewer: Wire, ...devices: Device[]): Promise<Presence[]> {
  const answer = await viewer.ask({ type: "watch", userIds: devices.map((d) => d.session.user.userId) });
  if (answer.type !== "presence") throw new Error(JSON.stringify(answer));
  return answer.users;
}
const told = (viewer: Wire, device: Device) =>
  viewer.frames
    .flatMap((f) => (f.type === "presence" && f.id === undefined ? f.users : []))
    .filter((u) => u.userId === device.session.user.userId);

/** A network between a device and the server, which can be made to swallow whatever comes, both ways, and to say nothing. */
async function network(): Promise<{ url: string; swallow: () => void; close: () => void }> {
  const sockets: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(server.port, "127.0.0.1");
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) sockets.push(socket.on("error", () => {}));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number };
  const swallow = () => {
    for (const socket of sockets) socket.unpipe().resume();
  };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  };
  return { url: `http://127.0.0.1:${port}`, swallow, close };
}

test.concurrent("[PR-1] [PR-2] a socket that is reset: online through the grace, then offline by a frame to who watches; a tunnel shorter than that is not seen", async () => {
  const viewer = await hello(await signUp(server.url, "viewer"), server.url);
  const [gone, tunnel] = [await signUp(server.url, "gone"), await signUp(server.url, "tunnel")];
  const [first, second] = [await hello(gone, server.url), await hello(tunnel, server.url)];
  const later = await signIn(server.url, "tunnel", "again"); // which takes a slow machine its time, and the grace none of it
  expect((await ask(viewer, gone, tunnel)).map((u) => u.state)).toEqual(["online", "online"]);
  const cutAt = Date.now();
  first.cut();
  second.cut();
  await sleep(1_000);
  expect((await ask(viewer, gone, tunnel)).map((u) => u.state)).toEqual(["online", "online"]);
  const back = await hello(later, server.url);
  const other = await hello(tunnel, server.url);
  await vi.waitUntil(() => told(viewer, gone).length > 0, { timeout: GRACE_MS + PATIENCE_MS, interval: 100 });
  expect(told(viewer, gone)).toMatchObject([{ state: "offline" }]);
  expect(Math.abs((told(viewer, gone)[0]?.lastSeenAt ?? 0) - cutAt)).toBeLessThan(10_000);
  expect(told(viewer, tunnel)).toEqual([]);
  for (const wire of [back, other]) wire.cut();
});

test.concurrent("[PR-4] a network that swallows everything: offline, last seen at the last ping", async () => {
  const viewer = await hello(await signUp(server.url, "watcher"), server.url);
  const lost = await signUp(server.url, "lost");
  const net = await network();
  const wire = await hello(lost, net.url);
  wire.raw("ping");
  await vi.waitUntil(() => wire.pongs === 1, { timeout: PATIENCE_MS });
  const pingedAt = Date.now();
  net.swallow();
  expect((await ask(viewer, lost))[0]?.state).toBe("online");
  await sleep(ALIVE_MS + 2_000);
  const [seen] = await ask(viewer, lost);
  expect(seen?.state).toBe("offline");
  expect(Math.abs((seen?.lastSeenAt ?? 0) - pingedAt)).toBeLessThan(10_000);
  net.close();
});
