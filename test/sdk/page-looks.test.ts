import { expect, test } from "vitest";
import { Looks } from "../../web/model/looks.ts";
import { Places } from "../../web/model/places.ts";

/** Lets what was asked for go on. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

test("[AP-44] whoever is looked at is read again once in ten minutes, one person at a time, and at once where what is known is old", async () => {
  let now = 0;
  const read: string[] = [];
  const open: (() => void)[] = [];
  let isDown = false;
  const looks = new Looks(
    async (id) => {
      read.push(id);
      await new Promise<void>((resolve) => open.push(resolve));
      if (isDown) throw new Error("the server is away");
    },
    () => now,
  );
  const answer = async () => {
    open.shift()?.();
    await turn();
  };
  for (const id of ["anna", "ben", "anna"]) looks.at(id);
  await turn();
  expect(read).toEqual(["anna"]);
  await answer();
  expect(read).toEqual(["anna", "ben"]);
  isDown = true;
  await answer();
  isDown = false;
  looks.at("anna");
  looks.at("ben"); // that failed, so it is asked again
  await turn();
  expect(read).toEqual(["anna", "ben", "ben"]);
  await answer();
  now = 10 * 60_000 - 1;
  looks.at("anna");
  await turn();
  expect(read).toHaveLength(3);
  looks.at("anna", true);
  await turn();
  expect(read.at(-1)).toBe("anna");
  await answer();
  now += 10 * 60_000;
  looks.at("anna");
  await turn();
  expect(read).toEqual(["anna", "ben", "ben", "anna", "anna"]);
});

test("[AP-44] a face that stands in many places is asked for once", async () => {
  let asked = 0;
  const call = async () => {
    asked += 1;
    const url = `https://bucket.example/${asked}`;
    await turn();
    return { ok: true, value: { url, expiresAt: Date.now() + 900_000 } };
  };
  const places = new Places({ call } as never, () => 0);
  const found = await Promise.all([
    places.find("face"),
    places.find("face"),
    places.find("other"),
    places.find("face"),
  ]);
  expect([asked, new Set(found).size, places.known("face")]).toEqual([2, 2, found[0]]);
  await places.find("face");
  expect(asked).toBe(2);
  await places.find("face", true);
  expect(asked).toBe(3);
});
