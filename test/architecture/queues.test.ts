import { expect, test } from "vitest";
import { read } from "./sources.ts";

test("[PU-34] what a queue gives up goes to a dead one, by its name, and that one is taken from, too", () => {
  const consumers = read("wrangler.toml").split("[[queues.consumers]]").slice(1);
  const valueIn = (table: string, key: string) => new RegExp(`^${key} = "([^"]+)"`, "m").exec(table)?.[1];
  const taken = consumers.map((table) => valueIn(table, "queue"));
  const alive = consumers.filter((table) => !valueIn(table, "queue")?.endsWith("-dead"));
  expect(alive.length).toBeGreaterThan(0);
  for (const table of alive) {
    const dead = valueIn(table, "dead_letter_queue");
    expect(dead).toMatch(/-dead$/);
    expect(taken).toContain(dead);
  }
});
