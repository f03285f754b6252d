import { ERRORS } from "../src/protocol/errors.ts";
import { type Account, forgetAccount, keepSession, knownAccounts } from "./accounts.ts";
import { byId, h, setText } from "./dom.ts";
import { call } from "./doors.ts";

const DEVICE = { name: "Web page" };

/** Shows the way in; calls `enter` with the account that was made, signed in to, or chosen. */
export function showSignIn(enter: (account: Account) => void): void {
  const page = byId("sign-in", HTMLElement);
  page.hidden = false;
  const done = (account: Account) => {
    page.hidden = true;
    enter(account);
  };
  drawKnown(done);
  const form = byId("sign-in-form", HTMLFormElement);
  form.onsubmit = (event) => {
    event.preventDefault();
    const isNew = event.submitter instanceof HTMLButtonElement && event.submitter.value === "signUp";
    void submit(form, isNew ? "signUp" : "signIn", done);
  };
}

function drawKnown(done: (account: Account) => void): void {
  const known = knownAccounts();
  byId("known", HTMLElement).hidden = known.length === 0;
  byId("known-list", HTMLElement).replaceChildren(
    ...known.map((account) => {
      const button = h("button", { type: "button" }, account.handle);
      button.onclick = () => done(account);
      return h("li", {}, button);
    }),
  );
}

async function submit(
  form: HTMLFormElement,
  what: "signUp" | "signIn",
  done: (account: Account) => void,
): Promise<void> {
  const data = new FormData(form);
  const [handle, password] = [String(data.get("handle")), String(data.get("password"))];
  const problem = byId("sign-in-problem", HTMLElement);
  setText(problem, "");
  form.inert = true;
  const body = { handle, password, device: DEVICE };
  const answer =
    what === "signUp"
      ? await call("signUp", { body: { ...body, displayName: handle } })
      : await call("signIn", { body });
  form.inert = false;
  if (!answer.ok) {
    setText(problem, answer.code === "invalid_request" ? HANDLE_RULE : ERRORS[answer.code].title);
    return;
  }
  form.reset();
  for (const old of knownAccounts()) if (old.deviceId === answer.value.device.deviceId) forgetAccount(old);
  done(keepSession(answer.value, answer.serverTime));
}

const HANDLE_RULE = "A handle has letters, digits, dots, dashes and underscores, and begins with a letter or digit";
