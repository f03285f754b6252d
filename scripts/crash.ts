/** `npm run crash -- --rounds 20 --seed N`: the crash proof of the test command with as many kills as one likes. `--built` takes dist/ as it is. */
import { parseArgs } from "node:util";
import { checkHistory } from "../test/e2e/support/check.ts";
import { crashRun } from "../test/e2e/support/crash.ts";
import { startServer } from "../test/e2e/support/server.ts";
import { build } from "./build.ts";

const { values } = parseArgs({
  options: {
    built: { type: "boolean", default: false },
    rounds: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);
if (!values.built) await build();
const server = await startServer();
try {
  const run = await crashRun(server, { seed, rounds: Number(values.rounds), loadMs: [300, 3_000], tell: console.log });
  const faults = [...checkHistory(run.facts), ...run.faults];
  for (const fault of faults.slice(0, 50)) console.error(fault);
  const { acked, duplicates } = run;
  console.log(JSON.stringify({ seed, rounds: Number(values.rounds), acked, duplicates, faults: faults.length }));
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  await server.remove();
}
