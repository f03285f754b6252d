import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textOf } from "../../src/domain/life.ts";
import type { Event } from "../../src/protocol/events.ts";
import { heldOf } from "../../src/sdk/state.ts";
import type { ModelDevice } from "./support/model-device.ts";
import { type Act, World } from "./support/world.ts";

const device = fc.nat(4);
const conversation = fc.nat(2);
const of = <T extends Act>(act: fc.Arbitrary<T>): fc.Arbitrary<Act> => act;

/** Mostly what a day brings, sometimes what breaks it. */
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 14, arbitrary: of(fc.record({ act: fc.constant("wish" as const), device, conversation })) },
  { weight: 10, arbitrary: of(fc.record({ act: fc.constant("open" as const), device })) },
  {
    weight: 14,
    arbitrary: of(fc.record({ act: fc.constant("up" as const), device, count: fc.integer({ min: 1, max: 6 }) })),
  },
  {
    weight: 14,
    arbitrary: of(
      fc.record({
        act: fc.constant("down" as const),
        device,
        count: fc.integer({ min: 1, max: 8 }),
        repeat: fc.boolean(),
      }),
    ),
  },
  {
    weight: 18,
    arbitrary: of(
      fc.record({ act: fc.constant("jobs" as const), picks: fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }) }),
    ),
  },
  {
    weight: 6,
    arbitrary: of(fc.record({ act: fc.constant("pass" as const), ms: fc.constantFrom(10, 300, 1_500, 40_000) })),
  },
  { weight: 5, arbitrary: of(fc.record({ act: fc.constant("cut" as const), device, heard: fc.nat(5) })) },
  { weight: 2, arbitrary: of(fc.record({ act: fc.constant("crash" as const), device })) },
  {
    weight: 3,
    arbitrary: of(
      fc.record({
        act: fc.constant("crashSoon" as const),
        device,
        when: fc.constantFrom("before_store" as const, "after_store" as const),
      }),
    ),
  },
  { weight: 4, arbitrary: of(fc.record({ act: fc.constant("handOut" as const), device })) },
  {
    weight: 3,
    arbitrary: of(
      fc.record({ act: fc.constant("fault" as const), fault: fc.constantFrom("before" as const, "after" as const) }),
    ),
  },
  { weight: 2, arbitrary: of(fc.record({ act: fc.constant("member" as const), device, conversation })) },
  { weight: 2, arbitrary: of(fc.record({ act: fc.constant("read" as const), device, conversation })) },
  {
    weight: 1,
    arbitrary: of(
      fc.record({ act: fc.constant("skew" as const), device, ms: fc.constantFrom(-3_600_000, 0, 3_600_000) }),
    ),
  },
  { weight: 1, arbitrary: of(fc.record({ act: fc.constantFrom("restart" as const, "refuseUnread" as const) })) },
  { weight: 1, arbitrary: of(fc.record({ act: fc.constant("loseIndex" as const), device })) },
);

function worldAfter(acts: readonly Act[], keep?: number): World {
  const world = new World(keep);
  for (const each of acts) world.do(each);
  world.settle();
  return world;
}
const everyWorld = (check: (world: World) => void, acts = act, keep?: number) =>
  fc.assert(
    fc.property(fc.array(acts, { minLength: 1, maxLength: 150, size: "max" }), (all) => check(worldAfter(all, keep))),
    { numRuns: Number(process.env.RUNS ?? 300) },
  );

/** What a device that keeps little does besides. */
const windowAct = fc.oneof(
  { weight: 20, arbitrary: act },
  { weight: 1, arbitrary: of(fc.record({ act: fc.constant("prune" as const), device })) },
  {
    weight: 1,
    arbitrary: of(
      fc.record({
        act: fc.constant("older" as const),
        device,
        conversation,
        count: fc.integer({ min: 1, max: 5 }),
      }),
    ),
  },
);

/**
 * Without what no client can mend: frames that are refused unread, which a replica gives no cause for [CL-22]; a refusal that is lost with
 * the socket and would not be repeated, because the person has become a member since; frames that are on the wire longer than a hold.
 */
const fairAct = act.filter(
  (each) => each.act !== "refuseUnread" && each.act !== "member" && !(each.act === "pass" && each.ms > 2_000),
);

const textsOf = (events: readonly Event[], { who }: ModelDevice): string[] =>
  events.flatMap((e) => (e.kind === "message" && e.deviceId === who.deviceId ? [textOf(e.content) ?? ""] : []));

function everyWishEndedOnce(world: World): void {
  for (const each of world.devices) {
    const logged = [...world.server.conversations.values()].flatMap(({ log }) => textsOf(log, each));
    const failed = each.replica.state.outbox.map(({ wishId, standing }) => [wishId, standing.is]);
    const refused = each.outcomes.flatMap((outcome) => ("code" in outcome ? [[outcome.wishId, "failed"]] : []));
    const refusedIds = new Set(refused.map(([wishId]) => wishId));
    expect(each.outcomes.map(({ wishId }) => wishId).sort()).toEqual(each.wished.map(({ wishId }) => wishId).sort());
    expect(failed).toEqual(expect.arrayContaining(refused));
    expect(failed).toHaveLength(refused.length);
    const wanted = each.wished.filter(({ wishId }) => !refusedIds.has(wishId)).map(({ text }) => text);
    expect(logged.sort()).toEqual(wanted.sort());
  }
}

describe("a replica in a hostile world", () => {
  test("[CL-1] [CL-4] [CL-5] [CL-6] [CL-7] [CL-8] every device ends with the log that its user may see, and is never wrong on the way", () => {
    everyWorld((world) => {
      for (const { who, replica } of world.devices)
        for (const [id, held] of world.server.conversations)
          expect(heldOf(replica.state, id).events).toEqual(held.visibleTo(who.userId));
    });
  });

  test("[CL-39] [CL-4] [CL-8] a device that keeps little has the newest of every log without a gap, and is never wrong on the way", () => {
    const KEEP = 4;
    everyWorld(
      (world) => {
        for (const { who, replica } of world.devices)
          for (const [id, model] of world.server.conversations) {
            const held = heldOf(replica.state, id);
            expect(held.events).toEqual(model.visibleTo(who.userId).filter(({ seq }) => seq >= held.from));
            if (model.members.has(who.userId)) expect(held.covered).toBeGreaterThanOrEqual(model.headFor(who.userId));
            expect(held.from).toBeLessThanOrEqual(Math.max(1, model.head - KEEP + 1));
          }
        everyWishEndedOnce(world);
      },
      windowAct,
      KEEP,
    );
  });

  test("[CL-9] [CL-12] each wish ends once: appended once, or refused and nowhere", () => {
    everyWorld(everyWishEndedOnce);
  });

  test("[CL-10] [CL-11] [CL-13] a device's messages to a conversation stand in the order in which they were written", () => {
    everyWorld((world) => {
      for (const each of world.devices)
        for (const [id, { log }] of world.server.conversations) {
          const sent = textsOf(log, each);
          const wished = each.wished.filter((wish) => wish.conversationId === id).map(({ text }) => text);
          expect(sent).toEqual(wished.filter((text) => sent.includes(text)));
        }
    }, fairAct);
  });

  test("[CL-17] [CL-18] [CL-33] in the end the server knows how far each user has received, also after one more crash", () => {
    everyWorld((world) => {
      for (const n of [0, 1, 2]) world.do({ act: "wish", device: n, conversation: 0 }); // their answers confirm receipts
      world.settle();
      world.do({ act: "restart" });
      world.settle();
      for (const { who, replica } of world.devices)
        for (const [id, conversation] of world.server.conversations) {
          const last = heldOf(replica.state, id).events.findLast(({ senderId }) => senderId !== who.userId)?.seq ?? 0;
          expect(conversation.delivered.get(who.userId) ?? 0).toBeGreaterThanOrEqual(last);
        }
    });
  });
});
