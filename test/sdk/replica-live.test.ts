import { describe, expect, test } from "vitest";
import { TIMES } from "../../src/protocol/limits.ts";
import { REPEAT_MS } from "../../src/sdk/typing.ts";
import { conversationId, userId } from "./support/ids.ts";
import { HERE, message, messages, OTHER, Script, summary } from "./support/script.ts";

const THIRD = userId(3);
const THERE = conversationId(2);

/** A device that has caught up. */
function live(memberCount = 3): Script {
  const script = new Script().open();
  script.hear({ type: "changed", conversations: [summary(0, { memberCount })] });
  script.hear({ type: "caught_up", cursor: "E.1" });
  script.pass(250);
  return script;
}
const types = (script: Script, who = OTHER, active = true) =>
  script.hear({ type: "typing", conversationId: HERE, userId: who, active });
const typists = ({ replica }: Script) => replica.live.typing.map((each) => each.userId);

describe("what is true for a moment", () => {
  test("[CL-30] typing ends by itself, unless it is said again", () => {
    const script = live();
    types(script);
    expect(script.last?.wakeAt).toBe(script.now + TIMES.typingMs);
    script.pass(TIMES.typingMs - 1);
    types(script);
    script.pass(TIMES.typingMs - 1);
    expect(typists(script)).toEqual([OTHER]);
    script.pass(1);
    expect(typists(script)).toEqual([]);
    expect(script.last?.wakeAt).toBeNull();
  });

  test("[CL-30] typing ends when the server says so, and when a message of that person comes", () => {
    const script = live();
    types(script);
    types(script, THIRD);
    types(script, THIRD, false);
    expect(typists(script)).toEqual([OTHER]);
    script.hear({ type: "events", conversationId: HERE, events: [{ ...message(1), senderId: THIRD }] });
    expect(typists(script)).toEqual([OTHER]);
    script.hear({ type: "events", conversationId: HERE, events: messages(2, 2) });
    expect(typists(script)).toEqual([]);
  });

  test("[CL-30] what the server leaves out is known until it says otherwise, a minute at most", () => {
    const script = live();
    script.hear({ type: "degraded", shed: ["typing", "presence"] });
    expect(script.replica.live.shed).toEqual(["typing", "presence"]);
    script.hear({ type: "degraded", shed: ["typing"] });
    script.pass(59_999);
    expect(script.replica.live.shed).toEqual(["typing"]);
    script.pass(1);
    expect(script.replica.live.shed).toEqual([]);
    script.hear({ type: "degraded", shed: ["history"] });
    script.hear({ type: "degraded", shed: [] });
    expect(script.replica.live.shed).toEqual([]);
  });

  test("[CL-30] nothing of it is stored, and all of it ends with the socket", () => {
    const script = live();
    const before = script.disk;
    const privacy = {
      lastSeen: "nobody",
      readReceipts: "nobody",
      conversations: "nobody",
      findable: "nobody",
      picture: "nobody",
    } as const;
    types(script);
    script.hear({ type: "presence", users: [{ userId: OTHER, state: "online" }] });
    script.hear({ type: "degraded", shed: ["typing"] });
    script.hear({ type: "self", profile: { displayName: "M", privacy } });
    expect(script.replica.live.profile?.displayName).toBe("M");
    expect(script.disk).toBe(before);
    script.tell({ type: "lost" });
    expect(script.replica.live).toMatchObject({ typing: [], presence: [], shed: [], profile: null });
  });
});

describe("telling that one types", () => {
  const type = (script: Script, active = true, where = HERE) =>
    script.tell({ type: "typing", conversationId: where, active });
  const told = (script: Script) => script.all("typing").map(({ conversationId, active }) => [conversationId, active]);

  test("[CL-31] is done again before the server forgets it, not with every key, and taken back once", () => {
    const script = live();
    for (let ms = 0; ms < REPEAT_MS * 2; ms += REPEAT_MS / 10) {
      type(script);
      script.now += REPEAT_MS / 10;
    }
    type(script, false);
    type(script, false);
    expect(told(script)).toEqual([
      [HERE, true],
      [HERE, true],
      [HERE, false],
    ]);
    expect(REPEAT_MS).toBeLessThan(TIMES.typingMs);
  });

  test("[CL-31] in one conversation at a time", () => {
    const script = live();
    type(script);
    type(script, true, THERE);
    expect(told(script)).toEqual([
      [HERE, true],
      [HERE, false],
      [THERE, true],
    ]);
  });

  test("[CL-31] only once caught up, not to a crowd, and not where the server leaves it out", () => {
    const crowd = live(257);
    const offline = live();
    offline.tell({ type: "lost" });
    const shed = live();
    shed.hear({ type: "degraded", shed: ["typing"] });
    for (const script of [new Script().open(), crowd, offline, shed]) {
      type(script);
      expect(told(script)).toEqual([]);
    }
    const script = live(256);
    type(script);
    expect(told(script)).toHaveLength(1);
  });
});

describe("watching", () => {
  const watch = (script: Script, ...userIds: (typeof OTHER)[]) => script.tell({ type: "watching", userIds });
  const asked = (script: Script) => script.all("watch").map(({ userIds }) => userIds);
  const answer = (script: Script, state: "online" | "offline") => {
    const { id = 0 } = script.newest("watch");
    script.hear({ type: "presence", id, users: [{ userId: OTHER, state }] });
  };

  test("[CL-32] is asked after the welcome, again before the lease ends, and at once when the screen changes", () => {
    const script = new Script();
    watch(script, OTHER);
    script.tell({ type: "opened" });
    expect(asked(script)).toEqual([]);
    script.open();
    expect(asked(script)).toEqual([[OTHER]]);
    watch(script, OTHER);
    expect(script.last?.wakeAt).toBe(script.now + 45_000);
    script.pass(45_000);
    watch(script, OTHER, THIRD);
    watch(script);
    script.pass(600_000);
    expect(asked(script)).toEqual([[OTHER], [OTHER], [OTHER, THIRD], []]);
    expect(45_000).toBeLessThan(TIMES.watchMs);
  });

  test("[CL-32] on each socket anew; at most as many as the server takes; nobody is not asked about", () => {
    const script = live();
    expect(asked(script)).toEqual([]);
    watch(script, OTHER);
    script.tell({ type: "lost" });
    script.open();
    expect(asked(script)).toEqual([[OTHER], [OTHER]]);
    watch(script, ...Array.from({ length: 101 }, (_, i) => userId(i)));
    expect(asked(script).at(-1)).toHaveLength(100);
  });

  test("[CL-32] one that was refused for now is asked again", () => {
    const script = live();
    watch(script, OTHER);
    script.refuse(script.newest("watch"), "unavailable", 2_000);
    script.pass(2_000);
    expect(asked(script)).toHaveLength(2);
  });

  test("[CL-32] the answer holds, as it changes, for as long as somebody is watched", () => {
    const script = live();
    watch(script, OTHER);
    answer(script, "online");
    script.hear({ type: "presence", users: [{ userId: OTHER, state: "offline", lastSeenAt: 5 }] });
    expect(script.replica.live.presence).toEqual([{ userId: OTHER, state: "offline", lastSeenAt: 5 }]);
    script.pass(45_000);
    expect(script.replica.live.presence).toHaveLength(1);
    watch(script, THIRD);
    expect(script.replica.live.presence).toEqual([]);
  });

  test("[CL-18] the answer tells that receipts sent before it have come", () => {
    const script = live();
    script.hear({ type: "events", conversationId: HERE, events: messages(1, 1) });
    script.pass(250);
    watch(script, OTHER);
    answer(script, "online");
    script.tell({ type: "lost" });
    script.open().pass(250);
    expect(script.all("receipt")).toHaveLength(1);
  });
});

test("[CL-34] a device that nobody looks at says so", () => {
  const script = new Script();
  script.tell({ type: "opened", background: true });
  expect(script.newest("hello")).toEqual({ type: "hello", id: 1, version: 1, cursor: null, background: true });
});
