import { signal } from "@preact/signals";
import { type Account, accountOfTab, newestOf, rememberTab } from "../accounts.ts";
import { holdDevice } from "../tab.ts";
import { Session } from "./session.ts";

type Screen =
  | { is: "nothing" }
  | { is: "sign-in" }
  | { is: "elsewhere"; account: Account }
  | { is: "chat"; session: Session };
export const screen = signal<Screen>({ is: "nothing" });

const TAKE_OVER = "edgewise.take-over";

/** Shows the chat of this account, unless another tab is the same device. [CL-27] */
export async function enter(account: Account, takeOver = false): Promise<void> {
  rememberTab(account.deviceId);
  let session: Session | null = null;
  const elsewhere = () => {
    screen.value = { is: "elsewhere", account };
  };
  const held = await holdDevice(account.deviceId, takeOver, () => session?.giveUp());
  if (!held) {
    elsewhere();
    return;
  }
  session = new Session(newestOf(account), () => {
    held.release();
    elsewhere();
  });
  screen.value = { is: "chat", session };
}

/** Uses the account here and takes it from the other tab. The page begins anew. */
export function takeOver(account: Account): void {
  sessionStorage.setItem(TAKE_OVER, account.deviceId);
  location.reload();
}

export function beSomebodyElse(): void {
  rememberTab(null);
  location.replace("/");
}

export function begin(): void {
  const account = accountOfTab();
  const isWanted = account !== null && sessionStorage.getItem(TAKE_OVER) === account.deviceId;
  sessionStorage.removeItem(TAKE_OVER);
  if (account) void enter(account, isWanted);
  else screen.value = { is: "sign-in" };
}
