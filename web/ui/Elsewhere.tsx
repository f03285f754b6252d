import type { Account } from "../accounts.ts";
import { beSomebodyElse, takeOver } from "../model/screen.ts";

/** The account is open in another tab: use it here instead, or be somebody else here. */
export function Elsewhere({ account }: { account: Account }) {
  return (
    <main class="card">
      <h1>Open in another tab</h1>
      <p>
        This account's device is in use in another tab of this browser. One tab at a time keeps its messages in order.
      </p>
      <div class="row">
        <button type="button" class="main" onClick={() => takeOver(account)}>
          Use it here
        </button>
        <button type="button" onClick={beSomebodyElse}>
          Another account
        </button>
      </div>
    </main>
  );
}
