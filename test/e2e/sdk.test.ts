import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { buildSdk } from "../../scripts/build-sdk.ts";
import type { Client, WebSocketClass } from "../../src/sdk/client/api.ts";
import { createClient } from "../../src/sdk/client/index.ts";
import { fileStorage } from "../../src/sdk/node.ts";
import { PASSWORD } from "./support/client.ts";
import { PATIENCE_MS } from "./support/patience.ts";
import { bugsIn, type Server, startServer } from "./support/server.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "edgewise-sdk-"));
let server: Server;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function until(test: () => boolean, withinMs = PATIENCE_MS): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(10)) if (test()) return;
  expect(test.toString()).toBe("so in time");
}
const open = (name: string, url = server.url): Promise<Client> =>
  createClient({ url, storage: fileStorage(join(folder, name)), WebSocket: WebSocket as unknown as WebSocketClass });
async function signUp(handle: string): Promise<Client> {
  const client = await open(handle);
  await client.signUp({ handle, password: PASSWORD });
  await until(() => client.connection.is === "live");
  return client;
}
const shown = (client: Client, id: string) =>
  client.conversations
    .get(id)
    .messages()
    .map((line) => (line.is === "message" ? [line.seq, line.id, line.text] : [line.seq]));
const textsIn = (client: Client, id: string) =>
  client.conversations
    .get(id)
    .messages()
    .flatMap((line) => (line.is === "message" ? [line.text] : []));

describe("the SDK against the real server", () => {
  test("[CL-45] two clients write while the server dies of kill -9: equal histories, each message once and in order", async () => {
    const [alice, bob] = [await signUp("anna"), await signUp("ben")];
    const { id } = await alice.conversations.openDirect((await alice.people.find("ben")).userId);
    const wanted: Record<string, string[]> = { anna: [], ben: [] };
    const say = (client: Client, name: string, n: number) => {
      wanted[name]?.push(`${name} ${n}`);
      return client.conversations.get(id).send(`${name} ${n}`).sent;
    };
    const all: Promise<number>[] = [];
    for (let n = 1; n <= 120; n++) {
      all.push(say(alice, "anna", n), say(bob, "ben", n));
      if (n === 60) {
        await sleep(30); // some are acked, some are on their way, some are not sent
        await server.kill9();
      }
      if (n === 90) await server.start();
    }
    await Promise.all(all);
    await until(() => textsIn(alice, id).length === 240 && textsIn(bob, id).length === 240);
    expect(shown(alice, id)).toEqual(shown(bob, id).filter(([seq]) => Number(seq) >= 1));
    for (const [name, texts] of Object.entries(wanted))
      expect(textsIn(alice, id).filter((text) => text.startsWith(name))).toEqual(texts);
    await alice.flush();
    const before = shown(alice, id);
    await alice.close();
    const again = await open("anna", "http://127.0.0.1:1"); // nobody listens there: what is shown is from the disk
    expect(again.conversations.list()).toEqual([]); // another server is another device
    await again.close();
    const third = await open("anna");
    expect(shown(third, id)).toEqual(before);
    expect(third.conversations.list()).toMatchObject([{ id, title: "ben", kind: "direct" }]);
    await Promise.all([third.signOut(), bob.close()]);
    await third.close();
    expect(bugsIn(server.output)).toEqual([]);
  });

  test("media, search, receipts, trace and a token of an issuer that is not there", async () => {
    const [carol, dave] = [await signUp("carol"), await signUp("dave")];
    const chat = await carol.conversations.openDirect((await carol.people.find("dave")).userId);
    const seq = await chat.send("where is the harbour?").sent;
    await until(() => textsIn(dave, chat.id).length === 1);
    dave.conversations.get(chat.id).markRead();
    await until(() => chat.snapshot().ticks.read >= seq);
    expect(await chat.receipts(seq)).toMatchObject({ readCount: 1 });
    expect((await chat.trace(seq)).members).toHaveLength(1);
    expect((await carol.search({ q: "harbour" })).hits).toMatchObject([{ seq }]);
    const file = new File([new Uint8Array(5_000).fill(7)], "seven.bin");
    const upload = await carol.media.upload(chat.id, file);
    await chat.send(await upload.done).sent;
    expect(upload.state).toMatchObject({ is: "done" });
    await until(() => textsIn(dave, chat.id).length === 2);
    const line = dave.conversations.get(chat.id).messages().at(-1);
    const mediaId = line?.is === "message" && line.content.type === "media" ? line.content.mediaId : "";
    const bytes = await (await fetch((await dave.media.place(mediaId)).url)).arrayBuffer();
    expect(new Uint8Array(bytes)).toEqual(new Uint8Array(5_000).fill(7));
    await expect(carol.call("exchange", { body: { token: "x", device: { name: "x" } } })).rejects.toMatchObject({
      name: "EdgewiseError",
    });
    await expect(carol.people.find("nobody-here")).rejects.toMatchObject({ code: "not_found" });
    await Promise.all([carol.close(), dave.close()]);
  });
});

describe("the package, installed", () => {
  const project = join(folder, "project");
  beforeAll(async () => {
    const sdk = join(folder, "sdk");
    await buildSdk(sdk);
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: sdk });
    const [{ filename }] = JSON.parse(stdout);
    const target = join(project, "node_modules/@edgewise/sdk");
    mkdirSync(target, { recursive: true }); // it depends on nothing, so this is all that an installation does
    await run("tar", ["-xzf", join(folder, filename), "-C", target, "--strip-components=1"]);
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  });

  const example = (n: number): string =>
    [...readFileSync("src/sdk/README.md", "utf8").matchAll(/```ts\n([\s\S]*?)```/g)][n]?.[1] ?? "";
  async function runProgram(name: string, text: string): Promise<string> {
    writeFileSync(join(project, name), text);
    const { stdout } = await run(process.execPath, [name], { cwd: project, timeout: PATIENCE_MS });
    return stdout;
  }

  test("[CL-49] the README's first example runs as it stands", async () => {
    const [alice, bob] = [await signUp("alice"), await signUp("bob")];
    const text = example(0).replace("https://chat.example.com", server.url);
    expect(text).toContain(server.url);
    expect(await runProgram("example.js", `${text}\nawait client.close();`)).toBe("queued\n");
    await until(() => bob.conversations.list()[0]?.preview?.text === "Hello!");
    await Promise.all([alice.close(), bob.close()]);
  });

  test("[CL-49] the README's example for Node keeps what it has in its folder", async () => {
    const text = example(1)
      .replace('import { WebSocket } from "ws";', "")
      .replace("const client", `const url = "${server.url}";\nconst client`);
    const program = `${text}
if (client.session.is === "signed_out") await client.signIn({ handle: "alice", password: "${PASSWORD}" });
else console.log(client.session.handle, client.conversations.list()[0]?.preview?.text);
while (client.connection.is !== "live") await new Promise((resolve) => setTimeout(resolve, 10));
await client.flush();
await client.close();`;
    expect(await runProgram("node.js", program)).toBe("");
    expect(await runProgram("node.js", program)).toBe("alice Hello!\n");
  });

  test("[CL-49] [CL-55] the README's example of an export comes to its end", async () => {
    const program = `import { createClient } from "@edgewise/sdk";
import { fakeServer, memoryStorage } from "@edgewise/sdk/testing";
const client = await createClient({ ...fakeServer().options, storage: memoryStorage() });
await client.signUp({ handle: "alice", password: "correct horse battery" });
const [signal, draw, writable] = [undefined, () => {}, new WritableStream()];
${example(3)}
console.log(file.type);
await client.close();`;
    expect(await runProgram("export.js", program)).toBe("manifest\nprofile\ndevice\nend\napplication/x-ndjson\n");
  });

  test("[CL-50] the README's example of a test runs without any server", async () => {
    const text = example(4);
    const program = `import { createClient } from "@edgewise/sdk";
${text.replace("import { fakeServer }", "import { fakeServer, memoryStorage }")}
await client.signUp({ handle: "alice", password: "correct horse battery" });
const chat = await client.conversations.openDirect(client.session.userId);
try { await chat.send("x").sent; } catch (error) { console.log(error.code); }
await client.close();`;
    expect(await runProgram("fake.js", program)).toBe("forbidden\n");
  });
});
