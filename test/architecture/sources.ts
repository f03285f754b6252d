import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");
const LEFT_OUT = new Set(["node_modules", ".git", "dist", ".wrangler", ".data", "coverage", "test-results"]);

/** Every file of the repository below a folder, by path from the root; what is built or installed is left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
}

export const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
export const typescript = (folder: string): string[] => filesBelow(folder).filter((path) => /\.tsx?$/.test(path));
export const withoutComments = (text: string): string => text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");

/** `to`: a path from the root for what is ours, else the package's name. `typeOnly`: nothing of it is there at run time. */
export type Import = { from: string; to: string; ours: boolean; typeOnly: boolean };

const STATEMENT =
  /^(?:import|export)\s+(?:(type)\s+)?(?:([^;"']*?)\s*from\s+)?["']([^"']+)["']|\bimport\(["']([^"']+)["']\)/gm;

export function importsOf(path: string): Import[] {
  return [...withoutComments(read(path)).matchAll(STATEMENT)].map(([, type, names, named, dynamic]) => {
    const specifier = named ?? dynamic ?? "";
    const ours = specifier.startsWith(".");
    const to = ours ? relative(ROOT, resolve(ROOT, dirname(path), specifier)) : specifier;
    return { from: path, to, ours, typeOnly: type === "type" || onlyTypes(names) };
  });
}

/** `{ type A, type B }`. */
function onlyTypes(names: string | undefined): boolean {
  const inside = /^\{([\s\S]*)\}$/.exec(names ?? "")?.[1];
  const each =
    inside
      ?.split(",")
      .map((name) => name.trim())
      .filter(Boolean) ?? [];
  return each.length > 0 && each.every((name) => name.startsWith("type "));
}
