import { expect, test } from "vitest";
import { ERRORS } from "../../src/protocol/errors.ts";
import { DOORS, type Door } from "../../src/protocol/http.ts";
import { filesBelow, read } from "./sources.ts";

const doors = Object.entries(DOORS) as [string, Door][];

test("[AR-6] a door refuses with codes of the closed list, says each once, and has an answer and all its path's parameters", () => {
  for (const [name, door] of doors) {
    expect(
      door.refusals.filter((code) => !Object.hasOwn(ERRORS, code)),
      name,
    ).toEqual([]);
    expect(new Set(door.refusals).size, name).toBe(door.refusals.length);
    expect(
      Object.keys(door.answers).every((status) => /^(2\d\d|302)$/.test(status)),
      name,
    ).toBe(true);
    const inPath = [...door.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    expect(Object.keys(door.params?.shape ?? {}).sort(), name).toEqual(inPath.sort());
  }
});

test("[AR-6] no two doors are the same", () => {
  const opened = doors.map(([, { method, path }]) => `${method} ${path.replaceAll(/\{\w+\}/g, "{}")}`);
  expect(opened.filter((door, index) => opened.indexOf(door) !== index)).toEqual([]);
});

test("[AR-6] the Worker answers every door itself; static files are not asked first", () => {
  const list = /^run_worker_first = \[([^\]]*)\]/m.exec(read("wrangler.toml"))?.[1] ?? "";
  const patterns = [...list.matchAll(/"([^"]+)"/g)].map(([, pattern]) => pattern ?? "");
  const isFirst = (path: string) =>
    patterns.some((pattern) => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern));
  const paths = [...doors.map(([, { path }]) => path), "/v1/socket", "/docs", "/openapi.json", "/asyncapi.json"];
  expect(paths.filter((path) => !isFirst(path))).toEqual([]);
});

test("[AR-7] the repository stands alone: nothing points at a folder beside it", () => {
  const name = "shared"; // put together here, so that this file is not found itself
  const climbs = new RegExp(`(^|[^/.\\w])\\.\\./${name}/|/work/${name}`);
  const text = filesBelow(".").filter((path) => /\.(ts|tsx|js|json|toml|md|html|css|sql|sh)$|\/run$/.test(path));
  const climbing = text.filter((path) => path !== "package-lock.json" && climbs.test(read(path)));
  expect(climbing).toEqual([]);
});
