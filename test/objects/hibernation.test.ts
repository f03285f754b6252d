import { runInDurableObject } from "cloudflare:test";
import { expect, test, vi } from "vitest";
import { bindings, command, inbox, newDeviceId, openDirect, TestSocket, until } from "./support.ts";

/** The runtime lets an object go after about ten idle seconds. Ms. */
const LONG_IDLE = 14_000;

test("[SO-5] [CO-3] an idle inbox sleeps with its sockets, pings do not wake it, the next frame does, and nothing is lost", {
  timeout: 60_000,
}, async () => {
  const wakings = countWakings();
  const { alice, bob, id } = await openDirect();
  const bobs = await TestSocket.caughtUp(bob, newDeviceId());
  await runInDurableObject(bindings.INBOXES.getByName(bob), (object) => Object.assign(object, { mark: "awake" }));
  const before = wakings();
  const pinging = setInterval(() => bobs.socket.send("ping"), 1_000);
  await new Promise((resolve) => setTimeout(resolve, LONG_IDLE));
  clearInterval(pinging);
  expect(bobs.pongs).toBeGreaterThan(4); // one a second, where the machine has the time
  expect(wakings()).toBe(before); // it slept, or it never went; the mark tells which
  await inbox(alice).send(id, command(alice, newDeviceId(), "good morning"));
  await until(() => bobs.texts.includes("good morning"));
  expect(wakings()).toBe(before + 2); // alice's for the first time, and his again
  const mark = await runInDurableObject(bindings.INBOXES.getByName(bob), (object) => Reflect.get(object, "mark"));
  expect(mark).toBeUndefined();
  expect(await bobs.ask({ type: "pull", conversationId: id, after: 0 })).toMatchObject({ type: "page", head: 1 });
});

/** Every waking of an inbox makes one pair for the runtime's own answers. */
function countWakings(): () => number {
  let count = 0;
  const Real = WebSocketRequestResponsePair;
  vi.stubGlobal(
    "WebSocketRequestResponsePair",
    class extends Real {
      constructor(request: string, response: string) {
        super(request, response);
        count++;
      }
    },
  );
  return () => count;
}
