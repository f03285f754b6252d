import { spawn } from "node:child_process";

/** `npm run bench:cost`: what acts cost, counted on the real runtime by test/objects/cost*.test.ts; ends with one JSON line. */
type Act = { act: string; rows: number; requests: number };

const run = spawn("vitest", ["run", "--project", "workerd", "test/objects/cost"], {
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, NO_COLOR: "1", BENCH: "1" },
});
let output = "";
run.stdout.on("data", (chunk) => {
  output += chunk;
});
run.on("close", (code) => {
  const acts = Array.from(output.matchAll(/^COST (\{.*\})$/gm), ([, json]): Act => JSON.parse(json as string));
  if (code !== 0 || acts.length === 0) {
    console.error(output);
    process.exit(1);
  }
  const width = Math.max(...acts.map((a) => a.act.length));
  console.log(`${"act".padEnd(width)}   rows  requests`);
  for (const { act, rows, requests } of acts) {
    console.log(`${act.padEnd(width)}  ${rows.toFixed(2).padStart(5)}  ${requests.toFixed(2).padStart(8)}`);
  }
  console.log(JSON.stringify({ acts }));
});
