import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { moment } from "../clock.ts";
import { tell } from "../model/shows.ts";
import type { ConversationId, Invite } from "../wire.ts";
import { Icon } from "./Icon.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const linkOf = (code: string): string => new URL(`/#join/${code}`, location.href).href;

/** Links by which others come into the group: made, copied and taken back by whoever may bring people in. */
export function Invites({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const invites = useSignal<readonly Invite[]>([]);
  const load = async () => {
    const answer = await asked(session.call("invites", { params: { id } }));
    if (answer) invites.value = answer.value.invites;
  };
  useEffect(() => void load(), []);
  const make = async () => {
    if (await asked(session.call("createInvite", { params: { id }, body: {} }))) await load();
  };
  const revoke = async (code: string) => {
    if (await asked(session.call("revokeInvite", { params: { id, code } }))) await load();
  };
  const copy = (code: string) =>
    navigator.clipboard.writeText(linkOf(code)).then(
      () => tell("The link is copied"),
      () => tell("It could not be copied: select it and copy it yourself"),
    );
  return (
    <section>
      <h3>Invite links</h3>
      <ul class="plain people" id="invites">
        {invites.value.map(({ code, expiresAt, uses }) => (
          <li key={code}>
            <span class="who">
              <input
                readOnly
                aria-label="Invite link"
                value={linkOf(code)}
                onFocus={({ currentTarget }) => currentTarget.select()}
              />
              <small class="quiet">
                Until {moment(expiresAt, Date.now())} · used {uses} {uses === 1 ? "time" : "times"}
              </small>
            </span>
            <span class="acts">
              <button type="button" onClick={() => void copy(code)}>
                Copy
              </button>
              <button type="button" onClick={() => void revoke(code)}>
                Revoke
              </button>
            </span>
          </li>
        ))}
      </ul>
      <button type="button" disabled={busy.value} onClick={() => void make()}>
        <Icon name="link" />
        Make an invite link
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
