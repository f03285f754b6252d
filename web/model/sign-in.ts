import { ERRORS } from "../../src/protocol/errors.ts";
import { forgetAccount, keepSession, knownAccounts } from "../accounts.ts";
import { call } from "../doors.ts";
import { enter } from "./screen.ts";

export { knownAccounts };

const DEVICE = { name: deviceName() };
const HANDLE_RULE = "A handle has letters, digits, dots, dashes and underscores, and begins with a letter or digit";

/** “Chrome on Linux”: by it a person knows the device in the list of theirs. */
function deviceName(): string {
  const { userAgent } = navigator;
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\//.exec(userAgent)?.[1] ?? "Browser";
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|CrOS|Linux)/.exec(userAgent)?.[1];
  const name = { Edg: "Edge", OPR: "Opera" }[browser] ?? browser;
  return system ? `${name} on ${system.replace(" OS X", "")}` : name;
}

/** Answers what is in the way, for a person. */
export async function signIn(isNew: boolean, handle: string, password: string): Promise<string> {
  const body = { handle, password, device: DEVICE };
  const answer = isNew
    ? await call("signUp", { body: { ...body, displayName: handle } })
    : await call("signIn", { body });
  if (!answer.ok) return answer.code === "invalid_request" ? HANDLE_RULE : ERRORS[answer.code].title;
  for (const old of knownAccounts()) if (old.deviceId === answer.value.device.deviceId) forgetAccount(old);
  await enter(keepSession(answer.value, answer.serverTime));
  return "";
}
