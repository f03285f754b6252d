import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { D1Migration } from "@cloudflare/vitest-plugin";
import { LATE_CALLS } from "../src/platform/calls.ts";

const { DIRECTORY, HISTORY_0, HISTORY_1, DIRECTORY_MIGRATIONS, HISTORY_MIGRATIONS } = env as unknown as {
  DIRECTORY: D1Database;
  HISTORY_0: D1Database;
  HISTORY_1: D1Database;
  DIRECTORY_MIGRATIONS: D1Migration[];
  HISTORY_MIGRATIONS: D1Migration[];
};
await applyD1Migrations(DIRECTORY, DIRECTORY_MIGRATIONS);
await applyD1Migrations(HISTORY_0, HISTORY_MIGRATIONS);
await applyD1Migrations(HISTORY_1, HISTORY_MIGRATIONS);

// An eviction waits for the timers of the object: two seconds each time, in scores of tests.
LATE_CALLS.lookEveryMs = 20;
