/** The web app: Vite makes the page, and what it made goes into its service worker, which keeps it for when there is no network. */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { type Plugin, build as vite } from "vite";

const ROOT = join(import.meta.dirname, "..");
const SOURCE = join(ROOT, "web");
const TARGET = join(ROOT, "dist/web");

/**
 * [AP-1] What the page may do. It loads and runs nothing but its own files, may load media from nowhere but the bucket and put it nowhere else, and no
 * text becomes a script: `default` lets through the address of its service worker alone.
 */
const policyFor = (mediaOrigin: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src 'self' ${mediaOrigin}`,
    `img-src 'self' blob: data: ${mediaOrigin}`,
    `media-src blob: ${mediaOrigin}`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types default",
  ].join("; ");

const withPolicy = (policy: string): Plugin => ({
  name: "edgewise-policy",
  transformIndexHtml: (html) => html.replaceAll("CONTENT_POLICY", policy),
});

/** The names under which files are served never change their content: whatever changes has another name. */
async function buildPage(policy: string): Promise<void> {
  await vite({
    configFile: false,
    root: SOURCE,
    logLevel: "warn",
    plugins: [withPolicy(policy)],
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir: TARGET,
      emptyOutDir: true,
      target: "es2022",
      sourcemap: true,
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      rolldownOptions: { treeshake: { moduleSideEffects: (id) => !/node_modules\/zod|\/src\//.test(id) } },
    },
  });
}

/** [AP-4] The files that make the page, by address, and a name for them all that changes with any of them. */
async function shellOf(): Promise<{ files: string[]; version: string }> {
  const names = (await readdir(TARGET, { recursive: true })).filter((name) =>
    /\.(html|js|css|svg|png|webmanifest)$/.test(name),
  );
  const hash = createHash("sha256");
  for (const name of names.sort()) hash.update(name).update(await readFile(join(TARGET, name)));
  const files = names.map((name) => (name === "index.html" ? "/" : `/${name}`));
  return { files, version: hash.digest("hex").slice(0, 16) };
}

async function buildWorker(): Promise<void> {
  const shell = await shellOf();
  await bundle({
    absWorkingDir: ROOT,
    entryPoints: ["web/sw.ts"],
    outdir: TARGET,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    logLevel: "warning",
    define: { SHELL: JSON.stringify(shell) },
  });
}

/** `mediaOrigin`: of the bucket's S3 door. */
export async function buildWeb(mediaOrigin: string): Promise<void> {
  const policy = policyFor(mediaOrigin);
  await rm(TARGET, { recursive: true, force: true });
  await buildPage(policy);
  const headers = await readFile(join(SOURCE, "_headers"), "utf8");
  await writeFile(join(TARGET, "_headers"), headers.replaceAll("CONTENT_POLICY", policy));
  await buildWorker();
}
