import type { Export, ExportedLine, ExportOptions } from "./api.ts";
import type { Part, Ports } from "./exporting.ts";

/** [CL-55] The code that downloads is loaded when somebody does: few ever do. */
export function exportOf(ports: Ports, options: ExportOptions): Export {
  const parts = async function* (told = (_: unknown) => {}): AsyncGenerator<readonly Part[]> {
    try {
      const { download } = await import("./exporting.ts");
      yield* download(ports, options);
    } catch (error) {
      told(error);
      throw error;
    }
  };
  const fileOf = async (): Promise<Blob> => {
    let why: unknown;
    const stream = streamOf(parts((error) => (why = error)));
    try {
      return await new Response(stream, { headers: { "content-type": "application/x-ndjson" } }).blob();
    } catch (error) {
      throw why ?? error; // Chromium has an error of its own for every stream that fails
    }
  };
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<ExportedLine> {
      for await (const some of parts()) for (const { line } of some) yield line;
    },
    stream: () => streamOf(parts()),
    blob: fileOf,
  };
}

function streamOf(parts: AsyncGenerator<readonly Part[]>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value.map(({ text }) => `${text}\n`).join("")));
      },
      async cancel() {
        await parts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
