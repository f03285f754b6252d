import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/** `npm run simulate -- --runs 1000 --seed 1`: many lives of the simulated world (test/simulation); prints the seed of one that fails. `--clients`: of whole clients alone. */
const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    clients: { type: "boolean", default: false },
  },
});
const env = { ...process.env, EDGEWISE_RUNS: values.runs, EDGEWISE_SEED: values.seed };
console.log(`${values.runs} lives from seed ${values.seed}`);
const files = values.clients ? "test/simulation/clients" : "test/simulation";
const { status } = spawnSync("vitest", ["run", "--project", "pure", files, "-t", "lives"], {
  stdio: "inherit",
  env,
});
process.exit(status ?? 1);
