import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { type Device, signIn, signUp } from "./support/client.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { type Server, startServer } from "./support/server.ts";
import { openWire, type Wire } from "./support/wire.ts";

let server: Server;
let phone: Device;
let laptop: Device;
beforeAll(async () => {
  server = await startServer(["test/e2e/support/strict.ts"]);
  phone = await signUp(server.url, "alice");
  laptop = await signIn(server.url, "alice", "laptop");
});
afterAll(() => server?.remove());

async function greeted(device: Device): Promise<Wire> {
  const wire = await openWire(server.url, device.token);
  expect((await wire.ask({ type: "hello", version: 1, cursor: null })).type).toBe("welcome");
  return wire;
}
const codesOf = (wire: Wire) => new Set(wire.frames.flatMap((frame) => (frame.type === "error" ? [frame.code] : [])));
const codeOf = (frame: ServerFrame) => (frame.type === "error" ? frame.code : null);
const garbage = '{"type":"x"}';

test("[IN-4] too many frames are refused for now; the frame's id is in the answer; waiting helps", async () => {
  const wire = await greeted(phone);
  const hello = () => wire.ask({ type: "hello", version: 1, cursor: null });
  let refused = await hello();
  // A slow machine takes so long over them that some are allowed anew.
  for (let times = 0; times < 20 && codeOf(refused) !== "rate_limited"; times++) {
    for (let i = 0; i < 600; i++) wire.raw(garbage);
    refused = await hello();
  }
  expect(refused).toMatchObject({ type: "error", code: "rate_limited", retryable: true });
  expect([...codesOf(wire)].sort()).toEqual(["invalid_request", "rate_limited"]);
  await sleep(4_000);
  expect(await hello()).toMatchObject({ code: "invalid_request" });
  wire.cut();
});

test("[IN-4] a flood is cut with 4008; another device of the same person does not feel it", async () => {
  const wire = await greeted(phone);
  const other = await greeted(laptop);
  for (let i = 0; i < 20_000 && wire.isOpen; i++) {
    wire.raw(garbage);
    if (i % 1_000 === 999) await sleep(10); // so that it is heard when the server hangs up
  }
  expect((await wire.closed).code).toBe(4008);
  expect([...codesOf(wire)].sort()).toEqual(["invalid_request", "rate_limited"]);
  expect(await other.ask({ type: "hello", version: 1, cursor: null })).toMatchObject({ code: "invalid_request" });
  other.cut();
});

test("[IN-4] a flood of pings wakes nobody and is answered", async () => {
  const wire = await greeted(laptop);
  for (let i = 0; i < 3_000; i++) wire.raw("ping");
  await expect.poll(() => wire.pongs, { timeout: PATIENCE_MS }).toBe(3_000);
  expect(wire.isOpen).toBe(true);
  wire.cut();
});
