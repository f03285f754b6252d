import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Storage, Store, Value, Write } from "../client/storage.ts";

/** A journal is written anew when it is this much longer than what it says. Bytes. */
const SLACK_BYTES = 1024 * 1024;

/**
 * Keeps everything in files below this folder, one for each store. A store is one process's at a time: opening one that a living process
 * has open fails.
 */
export function fileStorage(folder: string): Storage {
  return {
    async open(name) {
      await mkdir(folder, { recursive: true });
      return FileStore.open(join(folder, encodeURIComponent(name)));
    },
  };
}

/**
 * A journal: a line for each batch, put on the disk before it counts. A line that was torn by a crash is the last one, and counts for
 * nothing. What is long past is left out now and then, by a new journal that takes the old one's place in one step.
 */
class FileStore implements Store {
  readonly #path: string;
  readonly #items = new Map<string, Value>();
  #journal: FileHandle;
  #size = 0;
  #lastSize = 0;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(path: string, journal: FileHandle) {
    this.#path = path;
    this.#journal = journal;
  }

  static async open(path: string): Promise<FileStore> {
    await claim(`${path}.lock`);
    const text = await readFile(`${path}.journal`, "utf8").catch(() => "");
    const store = new FileStore(path, await open(`${path}.journal`, "a"));
    for (const line of text.split("\n")) if (!store.#replay(line)) break;
    await store.#rewrite(); // takes a torn line away, so that the next one begins at its own place
    return store;
  }

  /** False: nothing from here on was stored wholly. */
  #replay(line: string): boolean {
    try {
      this.#apply(JSON.parse(line));
      return true;
    } catch {
      return false;
    }
  }

  #apply(batch: readonly Write[]): void {
    for (const { key, value } of batch) {
      if (value === undefined) this.#items.delete(key);
      else this.#items.set(key, value);
    }
  }

  async read(prefix: string): Promise<[string, Value][]> {
    await this.#queue;
    const keys = [...this.#items.keys()].filter((key) => key.startsWith(prefix)).sort();
    return keys.map((key) => [key, structuredClone(this.#items.get(key))]);
  }

  /** [CL-40] One line is one batch. */
  write(batch: readonly Write[]): Promise<void> {
    const line = `${JSON.stringify(batch)}\n`;
    return this.#next(async () => {
      await this.#journal.appendFile(line);
      await this.#journal.datasync();
      this.#apply(JSON.parse(line));
      this.#size += line.length;
      if (this.#size > 2 * this.#lastSize + SLACK_BYTES) await this.#rewrite();
    });
  }

  clear(): Promise<void> {
    return this.#next(async () => {
      this.#items.clear();
      await this.#rewrite();
    });
  }

  async close(): Promise<void> {
    await this.#next(() => this.#journal.close());
    await rm(`${this.#path}.lock`, { force: true });
  }

  async #rewrite(): Promise<void> {
    const batch = [...this.#items].map(([key, value]) => ({ key, value }));
    const line = batch.length > 0 ? `${JSON.stringify(batch)}\n` : "";
    const fresh = await open(`${this.#path}.new`, "w");
    await fresh.writeFile(line);
    await fresh.datasync();
    await rename(`${this.#path}.new`, `${this.#path}.journal`);
    await this.#journal.close();
    this.#journal = fresh;
    this.#size = line.length;
    this.#lastSize = line.length;
  }

  /** After what was begun before, however that ended. */
  #next<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(act, act);
    this.#queue = done.catch(() => {});
    return done;
  }
}

/** The lock of a process that has died is taken over. */
async function claim(path: string): Promise<void> {
  for (let tries = 0; tries < 2; tries++) {
    const lock = await open(path, "wx").catch(() => null);
    if (lock) {
      await lock.writeFile(`${process.pid}`);
      await lock.close();
      return;
    }
    const holder = Number(await readFile(path, "utf8").catch(() => "0"));
    if (holder > 0 && isAlive(holder)) throw new Error(`${path}: process ${holder} has this store open`);
    await rm(path, { force: true });
  }
  throw new Error(`${path}: cannot be locked`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
