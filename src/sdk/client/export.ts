import type { Export, ExportedLine, ExportOptions } from "./api.ts";
import type { Part, Ports } from "./exporting.ts";

/** [CL-55] The code that downloads is loaded when somebody does: few ever do. */
export function exportOf(ports: Ports, options: ExportOptions): Export {
  const parts = async function* (): AsyncGenerator<readonly Part[]> {
    const { download } = await import("./exporting.ts");
    yield* download(ports, options);
  };
  const stream = () => streamOf(parts());
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<ExportedLine> {
      for await (const some of parts()) for (const { line } of some) yield line;
    },
    stream,
    blob: () => new Response(stream(), { headers: { "content-type": "application/x-ndjson" } }).blob(),
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
