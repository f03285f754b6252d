import { type Account, accountOfTab, newestOf, rememberTab } from "./accounts.ts";
import { Chat } from "./chat.ts";
import { byId } from "./dom.ts";
import { showSignIn } from "./sign-in-view.ts";
import { holdDevice } from "./tab.ts";

/** Shows the chat of this account, unless another tab is the same device. */
async function enter(account: Account, takeOver = false): Promise<void> {
  rememberTab(account.deviceId);
  let chat: Chat | null = null;
  const held = await holdDevice(account.deviceId, takeOver, () => chat?.giveUp());
  if (!held) {
    showElsewhere(account);
    return;
  }
  chat = new Chat(newestOf(account), () => {
    held.release();
    showElsewhere(account);
  });
}

/** The account is open in another tab: use it here instead, or be somebody else here. Both begin the page anew. */
function showElsewhere(account: Account): void {
  byId("chat", HTMLElement).hidden = true;
  byId("elsewhere", HTMLElement).hidden = false;
  byId("use-here", HTMLButtonElement).onclick = () => {
    sessionStorage.setItem(TAKE_OVER, account.deviceId);
    location.reload();
  };
  byId("other-account", HTMLButtonElement).onclick = () => {
    rememberTab(null);
    location.replace("/");
  };
}

const TAKE_OVER = "edgewise.take-over";

function begin(): void {
  const account = accountOfTab();
  const takeOver = account !== null && sessionStorage.getItem(TAKE_OVER) === account.deviceId;
  sessionStorage.removeItem(TAKE_OVER);
  if (account) void enter(account, takeOver);
  else showSignIn((chosen) => void enter(chosen));
}

begin();
