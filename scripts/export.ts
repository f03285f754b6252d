/**
 * `npm run export -- <userId> > file.ndjson`: all that is a person's, as they would get it themselves. Goes on by itself where there is more
 * than one answer holds, and behind the last whole line where a download breaks. For which deployment: scripts/local/operator.ts.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ExportAfter, ExportLine } from "../src/protocol/export.ts";
import { headers, url, userIdArgument } from "./local/operator.ts";

const TRIES = 5;
const userId = userIdArgument("export");

/** Where an export goes on behind this line; undefined where it has to begin anew. */
function placeAfter(line: ExportLine): ExportAfter | undefined {
  if (line.type === "event") return `${line.event.conversationId}.${line.event.seq}`;
  if (line.type === "media") return `media.${line.mediaId}`;
  return line.type === "more" || line.type === "error" ? line.after : undefined;
}

/** Writes what comes of one answer. Answers how it ended; `cut`: in the middle of a line. */
async function part(after: ExportAfter | undefined): Promise<{ end: string; after: ExportAfter | undefined }> {
  const query = after === undefined ? "" : `?after=${after}`;
  const response = await fetch(`${url}/v1/operator/users/${userId}/export${query}`, { headers });
  if (!response.ok || !response.body) throw new Error(`${response.status} ${(await response.text()).slice(0, 300)}`);
  let [rest, end, place] = ["", "cut", after];
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        process.stdout.write(`${line}\n`);
        const parsed = ExportLine.parse(JSON.parse(line));
        end = parsed.type;
        place = placeAfter(parsed) ?? place;
      }
    }
  } catch (error) {
    console.error(`broken off: ${error}`);
  }
  return { end, after: place };
}

let after: ExportAfter | undefined;
for (let failures = 0; failures < TRIES; ) {
  const told = await part(after);
  if (told.end === "end") process.exit(0);
  if (told.end !== "more") await sleep(1_000 * ++failures);
  after = told.after;
}
console.error("The file is not whole.");
process.exit(1);
