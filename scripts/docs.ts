/** `npm run docs`: writes the contract's documents, and its types for the SDK, from src/protocol/. With `--check` it writes nothing and fails where one has drifted. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asyncapi } from "../src/protocol/describe/asyncapi.ts";
import { protocolMarkdown } from "../src/protocol/describe/markdown.ts";
import { openapi } from "../src/protocol/describe/openapi.ts";
import { doorTable, wireTypes } from "../src/protocol/describe/typescript.ts";

const DIR = join(import.meta.dirname, "../docs");
const pretty = (document: unknown): string => `${JSON.stringify(document, null, 2)}\n`;

/** What each made file must hold, by its path from docs/. */
export const documents = (): Record<string, string> => ({
  "protocol.md": protocolMarkdown(),
  "openapi.json": pretty(openapi()),
  "asyncapi.json": pretty(asyncapi()),
  "../src/sdk/client/wire.ts": wireTypes(),
  "../src/sdk/client/door-table.ts": doorTable(),
});

/** The names of the made files that are missing or hold something else. */
export async function drifted(): Promise<string[]> {
  const checks = Object.entries(documents()).map(async ([name, wanted]) => {
    const found = await readFile(join(DIR, name), "utf8").catch(() => undefined);
    return found === wanted ? [] : [name];
  });
  return (await Promise.all(checks)).flat();
}

async function write(): Promise<void> {
  await mkdir(DIR, { recursive: true });
  await Promise.all(Object.entries(documents()).map(([name, text]) => writeFile(join(DIR, name), text)));
}

if (import.meta.main) {
  if (!process.argv.includes("--check")) await write();
  const names = await drifted();
  if (names.length > 0) {
    process.stderr.write(`Out of date in docs/: ${names.join(", ")}. Run \`npm run docs\`.\n`);
    process.exitCode = 1;
  }
}
