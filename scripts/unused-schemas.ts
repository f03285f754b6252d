import { type Plugin, parseSync } from "vite";

type Node = { type: string; start: number; end: number };
type Declared = Node & { declarations: { init: Node | null }[] };

/**
 * Lets the bundler leave out the schemas that a page does not use, and zod with them. A schema is the value of a chain of calls, of which a
 * bundler cannot know that they do nothing else; but importing one of our modules never does anything, so each such value is made in a
 * function that is said to be pure.
 */
export function withoutUnusedSchemas(): Plugin {
  return {
    name: "edgewise-unused-schemas",
    enforce: "pre",
    transform: {
      filter: { id: /\/src\/(protocol|domain|sdk)\/.*\.ts$/ },
      handler: (code, id) => ({ code: madePure(code, id), map: null }),
    },
  };
}

function madePure(code: string, id: string): string {
  const { body } = parseSync(id, code).program as unknown as { body: (Node & { declaration?: Node | null })[] };
  const values = body
    .map((statement) => (statement.type === "ExportNamedDeclaration" ? statement.declaration : statement))
    .filter((statement) => statement?.type === "VariableDeclaration")
    .flatMap((statement) => (statement as Declared).declarations)
    .flatMap(({ init }) => (init && init.type !== "ArrowFunctionExpression" && init.type !== "Literal" ? [init] : []));
  return values.toReversed().reduce((text, { start, end }) => {
    return `${text.slice(0, start)}/* @__PURE__ */ (() => (${text.slice(start, end)}))()${text.slice(end)}`;
  }, code);
}
