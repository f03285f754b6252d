import type { Request } from "@playwright/test";
import { decodeProtectedHeader } from "jose";
import { expect, test } from "vitest";
import { changeKept, keptText } from "./support/kept.ts";
import { annaWhoSaid, type Person, type Somebody, see } from "./support/person.ts";
import { tellOnStage } from "./support/stage.ts";

let anna: Somebody;

const stage = tellOnStage(async (stage) => {
  anna = await annaWhoSaid(stage.browser, stage.url, "Hello");
});

const RENEWALS = "**/v1/auth/refresh";
/** Every signed token in a text, by its kind. */
const kindsIn = (text: string): unknown[] =>
  [...text.matchAll(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g)].map(([token]) => decodeProtectedHeader(token).typ);
/** All that a script of the page can read. */
const readable = async ({ page }: Person): Promise<string> =>
  (await keptText(page)) +
  (await page.evaluate<string>("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])"));
const cookies = async () => (await anna.context.cookies(`${stage.url}/v1/auth/refresh`)).map(({ name }) => name);

test("[AP-42] no script can read the token that keeps a session: not of the store, and not of the cookies", async () => {
  const text = await readable(anna);
  expect(kindsIn(text)).toContain("at+jwt"); // it would have been found
  expect(kindsIn(text)).not.toContain("rt+jwt");
  expect(text).not.toContain("edgewise-refresh");
  const [cookie, ...others] = await anna.context.cookies(`${stage.url}/v1/auth/refresh`);
  expect(others).toEqual([]);
  expect(kindsIn(cookie?.value ?? "")).toEqual(["rt+jwt"]);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/v1/auth" });
  expect(await anna.context.cookies(`${stage.url}/v1/me`)).toEqual([]); // it is sent where it is needed alone
});

test("[AP-42] a session goes on by the cookie, past a reload, also when the answer to its renewal is lost", async () => {
  await anna.page.evaluate("navigator.serviceWorker.ready.then(() => {})");
  const renewals: Request[] = [];
  anna.context.on("request", (request) => request.url().endsWith("/v1/auth/refresh") && renewals.push(request));
  await anna.context.route(RENEWALS, (route) => route.fetch().then(() => route.abort()), { times: 1 }); // the server has traded it
  await changeKept(anna.page, "session", '(kept) => ({ ...kept, tokens: { ...kept.tokens, accessToken: "spoilt" } })');
  await anna.isConnected();
  const asked = renewals.map((request) => request.postDataJSON());
  expect(asked).toHaveLength(2); // one trade, asked for twice
  expect(asked[1]).toEqual(asked[0]);
  expect(asked[0]).toEqual({ deviceId: expect.any(String), idempotencyKey: expect.any(String) });
  expect(kindsIn(await readable(anna))).not.toContain("rt+jwt");
});

test("[AP-42] signing out takes the cookie away", async () => {
  expect(await cookies()).toHaveLength(1);
  await anna.page.getByRole("button", { name: "Settings" }).click();
  await anna.page.getByRole("button", { name: "Sign out" }).click();
  await see(anna.page.getByLabel("Password")).toBeVisible();
  expect(await cookies()).toEqual([]);
  expect(anna.complaints).toEqual([]);
});
