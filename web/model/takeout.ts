import { signal } from "@preact/signals";
import { type Client, EdgewiseError, type ExportProgress } from "../../src/sdk/client/index.ts";
import { refusalText } from "../phrases.ts";
import { saveFile } from "../saving.ts";

export type Taken =
  | { is: "nothing" }
  | { is: "running"; progress: ExportProgress }
  | { is: "failed"; problem: string }
  | { is: "saved"; name: string; bytes: number };

const NOTHING_YET: ExportProgress = { bytes: 0, conversations: 0, events: 0, media: 0 };
const CUT = "The download was cut off before its end, so nothing was saved. Try again when the connection is better.";
const OFTEN = "You have downloaded it several times just now: wait a minute";

/** [AP-29] All that is the person's, as a file. It goes on while the dialog is closed, and is saved only once it is whole. */
export class Takeout {
  readonly state = signal<Taken>({ is: "nothing" });
  readonly #client: Pick<Client, "export">;
  readonly #handle: string;
  #stop: AbortController | null = null;

  constructor(client: Pick<Client, "export">, handle: string) {
    this.#client = client;
    this.#handle = handle;
  }

  async start(): Promise<void> {
    this.cancel();
    const stop = new AbortController();
    this.#stop = stop;
    const show = (state: Taken) => {
      if (this.#stop === stop) this.state.value = state;
    };
    show({ is: "running", progress: NOTHING_YET });
    const onProgress = (progress: ExportProgress) => show({ is: "running", progress });
    try {
      const file = await this.#client.export({ signal: stop.signal, onProgress }).blob();
      if (stop.signal.aborted) return;
      const name = `edgewise-${this.#handle}-${new Date().toLocaleDateString("sv")}.ndjson`;
      saveFile(file, name);
      show({ is: "saved", name, bytes: file.size });
    } catch (error) {
      if (!stop.signal.aborted) show({ is: "failed", problem: problemOf(error) });
    }
  }

  cancel(): void {
    this.#stop?.abort();
    this.#stop = null;
    this.state.value = { is: "nothing" };
  }
}

function problemOf(error: unknown): string {
  const code = error instanceof EdgewiseError ? error.code : "unavailable";
  if (code === "rate_limited") return OFTEN;
  return code === "unavailable" ? CUT : `${refusalText(code)}. Nothing was saved.`;
}
