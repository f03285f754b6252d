import type { ExportedLine, ExportOptions } from "./api.ts";
import { openDoor, type Way } from "./doors.ts";
import { EdgewiseError } from "./errors.ts";
import type { Sessions } from "./sessions.ts";
import type { ExportCounts, ExportEnd, ExportLine } from "./wire.ts";

/** How often in a row it is asked on without any new line, and the first pause between; each is twice the one before. Ms. */
const TRIES = 5;
const PAUSE_MS = 1_000;
/** Nothing has come for so long: the wire is taken for dead. Ms. */
const STALLED_MS = 45_000;

export type Ports = Way & {
  readonly sessions: Pick<Sessions, "withToken">;
  /** Answers how to call it off. */
  readonly after: (ms: number, act: () => void) => () => void;
};
/** A line, and the text of it. */
export type Part = { readonly text: string; readonly line: ExportedLine };
type Counts = { -readonly [T in keyof ExportCounts]: number };
/** How an answer ended. */
type Ending = { readonly is: "end" | "more" } | { readonly is: "broken"; readonly error: EdgewiseError };

const NO_LINES: ExportCounts = {
  ...{ device: 0, contact: 0, block: 0, pushSubscription: 0, report: 0 },
  ...{ conversation: 0, event: 0, media: 0 },
};
const brokenOff = (detail: string): EdgewiseError => new EdgewiseError("unavailable", { detail });

/**
 * [CL-55] Some whole lines at a time, each once, over as many answers as it takes. It ends after the `end` alone: in any other case it
 * throws, an `EdgewiseError` or the reason of the signal.
 */
export async function* download(ports: Ports, { signal, onProgress }: ExportOptions): AsyncGenerator<readonly Part[]> {
  const file = new File();
  let bytes = 0;
  for (let failures = 0; ; ) {
    const { after } = file;
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener("abort", abort);
    try {
      signal?.throwIfAborted();
      file.goOn();
      let ending: Ending | null = null;
      for await (const { texts, size } of answerOf(ports, after, stop)) {
        bytes += size;
        const taken = file.take(texts);
        ending = taken.ending;
        if (taken.parts.length > 0) {
          yield taken.parts;
          const { conversation: conversations, event: events, media } = file.counts;
          onProgress?.({ bytes, conversations, events, media });
        }
        if (ending) break;
      }
      if (ending?.is === "end") return;
      if (ending?.is === "broken") throw ending.error;
      if (!ending || file.after === after) throw brokenOff("the download ended before its end");
    } catch (error) {
      signal?.throwIfAborted();
      failures = file.after === after ? failures + 1 : 1;
      const isHopeless = !(error instanceof EdgewiseError) || !error.retryable;
      if (isHopeless || file.after === undefined || failures === TRIES) throw error;
      await pause(ports, error.retryAfterMs ?? PAUSE_MS * 2 ** (failures - 1), signal);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }
}

function pause({ after }: Ports, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = after(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

type Came = { readonly texts: readonly string[]; readonly size: number };

/** Whole lines of one answer, as they come. */
async function* answerOf(ports: Ports, after: string | undefined, stop: AbortController): AsyncGenerator<Came> {
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () => reject(brokenOff("nothing came any more")));
  });
  stopped.catch(() => {}); // where nobody waits for it
  const inTime = async <T>(act: Promise<T>): Promise<T> => {
    const cancel = ports.after(STALLED_MS, () => stop.abort());
    try {
      return await Promise.race([act, stopped]);
    } catch (error) {
      throw error instanceof EdgewiseError ? error : brokenOff("the download was broken off");
    } finally {
      cancel();
    }
  };
  const asked = ports.sessions.withToken((token) =>
    openDoor(ports, "exportMe", { query: { after } }, token, stop.signal),
  );
  const { body } = await inTime(asked);
  if (!body)
    throw new EdgewiseError("unavailable", { detail: "there are no streams on this platform", retryable: false });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  try {
    for (let rest = ""; ; ) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      const texts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = texts.pop() ?? "";
      yield { texts, size: value.byteLength };
    }
  } finally {
    reader.cancel().catch(() => {}); // it is broken already
  }
}

/** The one file that all answers together make. */
class File {
  /** Up to where the lines reach that were given out; undefined: none was. */
  after: string | undefined;
  /** Of the lines that were given out. */
  readonly counts: Counts = { ...NO_LINES };
  #conversationId = "";
  #answers = 0;
  /** Of the lines of this answer. */
  #came: Counts = { ...NO_LINES };
  /** Lines behind which nothing can go on: they are given out with the next behind which something can. */
  #held: Part[] = [];

  /** Another answer begins. */
  goOn(): void {
    this.#answers += 1;
    this.#came = { ...NO_LINES };
    this.#held = [];
  }

  take(texts: readonly string[]): { parts: readonly Part[]; ending: Ending | null } {
    const parts: Part[] = [];
    for (const text of texts) {
      const line = lineOf(text);
      if (line === null) return { parts, ending: broken(brokenOff("a line is not JSON")) };
      if (line.type === "error")
        return {
          parts,
          ending: broken(new EdgewiseError(line.code, { detail: "the server broke off", retryable: true })),
        };
      if (line.type === "end" || line.type === "more") {
        if (!this.#isComplete(line.counts)) {
          this.after = undefined; // what is missing lies before it: nothing may go on behind that
          return { parts, ending: broken(brokenOff("lines are missing")) };
        }
        if (line.type === "more") this.after = line.after;
        else this.#held.push(this.#endOf(text, line));
        return { parts: [...parts, ...this.#release()], ending: { is: line.type } };
      }
      if (line.type in this.#came) this.#came[line.type as keyof Counts] += 1;
      if (this.#isRepeated(line)) continue;
      this.#held.push({ text, line });
      const place = placeOf(line);
      if (place === undefined) continue;
      this.after = place;
      parts.push(...this.#release());
    }
    return { parts, ending: null };
  }

  #release(): Part[] {
    const parts = this.#held.splice(0);
    for (const { line } of parts) {
      if (line.type in this.counts) this.counts[line.type as keyof Counts] += 1;
      if (line.type === "conversation") this.#conversationId = line.conversationId;
    }
    return parts;
  }

  /** An answer that goes on begins with a manifest of its own, and names the conversation again within which it does. */
  #isRepeated(line: ExportedLine): boolean {
    if (line.type === "manifest") return this.after !== undefined;
    return line.type === "conversation" && line.conversationId === this.#conversationId;
  }

  #isComplete(counts: ExportCounts): boolean {
    return (Object.keys(NO_LINES) as (keyof Counts)[]).every((type) => counts[type] === this.#came[type]);
  }

  /** The last line counts those of the whole file. */
  #endOf(text: string, line: ExportEnd): Part {
    if (this.#answers === 1) return { text, line };
    const counts = { ...this.counts };
    for (const held of this.#held) if (held.line.type in counts) counts[held.line.type as keyof Counts] += 1;
    const whole = { ...line, counts };
    return { text: JSON.stringify(whole), line: whole };
  }
}

const broken = (error: EdgewiseError): Ending => ({ is: "broken", error });

function lineOf(text: string): ExportLine | null {
  try {
    return JSON.parse(text) as ExportLine;
  } catch {
    return null;
  }
}

/** [EX-4] Behind which place of the server's what follows this line comes. */
function placeOf(line: ExportedLine): string | undefined {
  if (line.type === "conversation") return `${line.conversationId}.0`;
  if (line.type === "event") return `${line.event.conversationId}.${line.event.seq}`;
  return line.type === "media" ? `media.${line.mediaId}` : undefined;
}
