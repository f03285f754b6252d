import { availableParallelism } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/order.ts";

// Miniflare would ask a server on the internet where in the world the tests run.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";

/** One file more than there are cores: many tests wait for what takes its time. Vitest itself would leave one core idle. */
const maxWorkers = availableParallelism() + 1;

/** A test that takes so long will not end; what takes long on a busy machine does. Ms. */
const PATIENCE_MS = 120_000;
/** A story has many waits. Ms. */
const STORY_MS = 400_000;

/** What is polled for has to come, and comes late on a busy machine. */
const patient = { poll: { timeout: 60_000 } };

const workerd = async () => ({
  wrangler: { configPath: "./wrangler.toml" },
  miniflare: {
    compatibilityFlags: ["nodejs_compat"], // vitest's, not ours: the product runs without it
    bindings: {
      RATE_LIMITS: "wide",
      TOKEN_KEYS: "dGVzdC1rZXktb2YtdGhpcnR5LXR3by1ieXRlcy0wMTIz",
      R2_ENDPOINT: "https://account.r2.example",
      R2_ACCESS_KEY_ID: "key-of-the-tests",
      R2_SECRET_ACCESS_KEY: "secret-of-the-tests",
      OPERATOR_TOKEN: "operator-token-of-the-tests",
      DIRECTORY_MIGRATIONS: await readD1Migrations("migrations/directory"),
      HISTORY_MIGRATIONS: await readD1Migrations("migrations/history"),
    },
  },
});

/** Pure rules run in plain Node in milliseconds; objects and routes on the real runtime; end-to-end against real processes. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // The simulation runs the objects in plain Node, on a runtime of its own.
        resolve: {
          alias: {
            "cloudflare:workers": `${import.meta.dirname}/test/simulation/cloudflare-workers.ts`,
            "@phi-ag/argon2/argon2.wasm": `${import.meta.dirname}/test/simulation/no-argon2.ts`,
          },
        },
        test: {
          name: "pure",
          include: ["test/{protocol,domain,sdk,simulation,architecture}/**/*.test.ts"],
          setupFiles: ["test/seed.ts"],
          environment: "node",
          testTimeout: PATIENCE_MS,
          hookTimeout: PATIENCE_MS,
          expect: patient,
          maxWorkers,
        },
      },
      {
        plugins: [cloudflareTest(workerd)],
        test: {
          name: "workerd",
          include: ["test/{storage,platform,objects,routes}/**/*.test.ts"],
          setupFiles: ["test/seed.ts", "test/migrate.ts"],
          testTimeout: PATIENCE_MS,
          hookTimeout: PATIENCE_MS,
          expect: patient,
          maxWorkers,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          setupFiles: ["test/seed.ts"],
          environment: "node",
          testTimeout: STORY_MS,
          hookTimeout: STORY_MS,
          expect: patient,
          maxWorkers,
        },
      },
    ],
  },
});
