/** `npm test`: builds, runs every test, and ends with `N passed, N failed`. What follows `--` goes to vitest: `npm test -- test/domain`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.ts";

type Report = { testResults: { status: string; assertionResults: { status: string }[] }[] };
type Counts = { passed: number; failed: number; skipped: number };

/** A file that broke before its first test counts as one failure. */
function count({ testResults }: Report): Counts {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  const passed = tests.filter((status) => status === "passed").length;
  const failed = tests.filter((status) => status === "failed").length;
  return { passed, failed: failed + broken.length, skipped: tests.length - passed - failed };
}

function readReport(file: string): Counts {
  try {
    return count(JSON.parse(readFileSync(file, "utf8")) as Report);
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

await build();
const dir = mkdtempSync(join(tmpdir(), "edgewise-test-"));
const report = join(dir, "report.json");
const cli = join(import.meta.dirname, "../node_modules/vitest/vitest.mjs");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
const args = [cli, "run", ...reporters, ...process.argv.slice(2)];
// The runner and the servers of the tests start scores of processes from the same files, Wrangler's among them: compiled once.
const env = { ...process.env, NODE_COMPILE_CACHE: join(dir, "compiled") };
const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"], env });
const { passed, failed, skipped } = readReport(report);
rmSync(dir, { recursive: true, force: true });

// Vitest also fails for what belongs to no test, such as an error nobody caught.
const faults = status === 0 ? failed : Math.max(failed, 1);
console.log(`${passed} passed, ${faults} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = faults === 0 && passed > 0 ? 0 : 1;
