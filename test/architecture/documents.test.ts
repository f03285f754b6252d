import { expect, test } from "vitest";
import { drifted } from "../../scripts/docs.ts";

test("[DC-6] the documents under docs/ are what the schemas make", async () => {
  expect(await drifted()).toEqual([]);
});
