import { expect, test } from "vitest";
import { gives, nextNumber, surplus } from "../../src/domain/dials.ts";

const dial = (number: number, spoke = false) => ({ number, spoke });

test("[SO-2] [SO-9] a hello ends what was dialled before it and what has spoken, and nothing that is about to speak", () => {
  expect(gives(dial(1), dial(2))).toBe(true);
  expect(gives(dial(1, true), dial(2))).toBe(true);
  expect(gives(dial(3, true), dial(2))).toBe(true);
  expect(gives(dial(3), dial(2))).toBe(false);
});

test("[SO-9] numbers rise over what is open, also over sockets that an older version took in", () => {
  expect(nextNumber([])).toBe(1);
  expect(nextNumber([dial(0, true)])).toBe(1);
  expect(nextNumber([dial(4), dial(7, true), dial(2)])).toBe(8);
});

test("[SO-10] of silent sockets the oldest have to make room, and none that has spoken", () => {
  expect(surplus([dial(1, true), dial(2), dial(3), dial(4)])).toEqual([]);
  expect(surplus([dial(5), dial(1, true), dial(3), dial(4), dial(2)])).toEqual([dial(2)]);
});
