import { act, lastBlow, lastTicks, lastWord } from "./acts.ts";
import { checkEnd, checkIndex } from "./check.ts";
import { checkPushes } from "./check-push.ts";
import { checkLive, checkStates } from "./check-states.ts";
import { checkTabs } from "./check-tabs.ts";
import { type Plan, World } from "./world.ts";

export const PLAN: Plan = {
  people: 3,
  devices: 3,
  groups: 1,
  acts: 250,
  crowd: 256,
  faults: { lostCall: 0.04, lostReply: 0.04, repeated: 0.03, slow: 0.05, database: 0.2, queue: 0.1 },
};

/** The longest wait of a lagging inbox, twice; and all that gathering and telling takes. Ms. */
const CALM_WITHIN_MS = 20 * 60_000;
const TOLD_WITHIN_MS = 20_000;
/** And until whoever watches has asked again: leases die with the inbox that gave them. Ms. */
const WATCHED_AGAIN_MS = 50_000;
/** Whole clients make so many steps that the index is not looked at in each. */
const INDEX_EVERY = 5;
/** A world that is not at rest by then never will be. */
const REST_STEPS = 100_000;

/** Every third world is a bad one: calls fail so often that retries give up, and frames crawl. */
const BAD: Plan = {
  ...PLAN,
  faults: { lostCall: 0.25, lostReply: 0.15, repeated: 0.05, slow: 0.12, database: 0.4, queue: 0.3 },
};
/** In every fifth the group is a crowd; every other life is short, because much that goes wrong is mended by what comes after it. */
export const planOf = (seed: number): Plan => ({
  ...(seed % 3 === 0 ? BAD : PLAN),
  crowd: seed % 5 === 0 ? 2 : PLAN.crowd,
  acts: seed % 2 === 0 ? 70 : PLAN.acts,
});

/** One life of a world, checked at every step and at its end. Throws with the seed and the last things that happened. */
export async function simulate(
  seed: number,
  plan: Plan = planOf(seed),
): Promise<{ steps: number; events: number; tombstones: number; forgotten: number }> {
  const world = new World(seed, plan);
  let steps = 0;
  try {
    await world.open();
    let acts = 0;
    for (; acts < plan.acts; steps++) {
      const went = await world.step();
      if (!world.isLeftAlone && (!went || world.works.chance(0.1))) {
        act(world);
        acts++;
      }
      if (!plan.clients || steps % INDEX_EVERY === 0) checkIndex(world);
    }
    lastBlow(world);
    if (!(await world.calmDown(CALM_WITHIN_MS))) throw new Error("the server did not settle");
    checkIndex(world);
    checkPushes(world);
    await checkLife(world);
    await checkRest(world);
    await lastWord(world);
    await checkRest(world);
    await lastTicks(world);
    await checkRest(world);
    await checkLife(world);
    world.life.checkRest();
    const bug = world.works.trace.find((line) => line.includes("BUG"));
    if (bug) throw new Error(bug);
    const events = world.conversations.flatMap((id) => world.server.logOf(id));
    const tombstones = events.filter(({ kind }) => kind === "gone").length;
    return { steps, events: events.length, tombstones, forgotten: world.life.forgottenCount };
  } catch (error) {
    const { message } = error as Error;
    throw new Error(
      `seed ${seed}, ${steps} steps: ${message}\n${world.works.trace.slice(process.env.EDGEWISE_TELL ? 0 : -40).join("\n")}`,
      {
        cause: error,
      },
    );
  } finally {
    world.close();
  }
}

/** Once the time of all that disappears is over, with every device as it is: nothing of it is left. */
async function checkLife(world: World): Promise<void> {
  if (!world.isWhole) return;
  for (const id of world.conversations) await world.through(() => world.call("CONVERSATIONS", id, "awaken"));
  await world.pass(Math.max(world.life.allOverAt - world.server.now, 0) + TOLD_WITHIN_MS);
  if (!(await world.calmDown(CALM_WITHIN_MS))) throw new Error("the server did not settle");
  world.life.checkOver();
}

/** Once nothing is open any more, everything is whole. */
async function checkRest(world: World): Promise<void> {
  if (!(await world.comeToRest(REST_STEPS))) throw new Error(`the world did not come to rest: ${unrest(world)}`);
  checkIndex(world);
  checkEnd(world);
  await world.pass(WATCHED_AGAIN_MS);
  checkTabs(world);
  await checkStates(world);
  checkLive(world);
}

const unrest = (world: World): string =>
  [
    ...world.devices
      .filter((d) => d.phase !== "live" || d.outboxSize > 0)
      .map((d) => `${d.deviceId.slice(-4)} ${d.phase} outbox ${d.outboxSize}`),
    ...world.conversations.filter((id) => !world.isSettled(id)).map((id) => `${id.slice(0, 5)} not settled`),
    ...world.devices.flatMap((d) =>
      world.conversations
        .filter((id) => !world.isEqual(d, id))
        .map(
          (id) =>
            `${d.deviceId.slice(-4)} holds ${d.events(id).length} of ${world.visible(id, d.userId).length} in ${id.slice(0, 5)}`,
        ),
    ),
  ].join(", ");
