import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { moment } from "../clock.ts";
import { dialog } from "../model/shows.ts";
import { waitingText } from "../phrases.ts";
import type { ConversationId, JoinRequest } from "../wire.ts";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** [AP-20] Who waits to be let into the group, for its admins to decide on. */
export function JoinRequests({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const requests = useSignal<readonly JoinRequest[]>([]);
  const count = session.told.waitingIn(id);
  const all = session.chat(id).requests;
  const load = async () => {
    const answer = await asked(session.answered(all.load()));
    if (answer) requests.value = answer.value;
  };
  useEffect(() => void load(), [count]);
  const decide = async (userId: string, isIn: boolean) => {
    await asked(session.answered(isIn ? all.accept(userId) : all.decline(userId)));
    if (problem.peek() === "") await load();
  };
  if (requests.value.length === 0) return null;
  return (
    <section aria-labelledby="requests-title">
      <h3 id="requests-title">{waitingText(requests.value.length)}</h3>
      <ul class="plain people" id="requests" inert={busy.value}>
        {requests.value.map(({ userId, askedAt }) => {
          const name = session.naming.value.name(userId);
          return (
            <li key={userId}>
              <PersonAvatar userId={userId} name={name} />
              <span class="who">
                <button type="button" class="link who" onClick={() => (dialog.value = { is: "person", userId })}>
                  {name}
                </button>
                <small class="quiet">asked {moment(askedAt, Date.now())}</small>
              </span>
              <span class="acts">
                <button type="button" class="main" onClick={() => void decide(userId, true)}>
                  Let in<span class="unseen"> {name}</span>
                </button>
                <button type="button" onClick={() => void decide(userId, false)}>
                  Decline<span class="unseen"> {name}</span>
                </button>
              </span>
            </li>
          );
        })}
      </ul>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
