import { goTo, route } from "../model/route.ts";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** Somebody followed an invite: it is for them to say whether they join. */
export function Join() {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const { value } = route;
  if (value.is !== "join") return null;
  const join = async () => {
    const words = { not_found: "This invite is not valid any more", forbidden: "You cannot join by this invite" };
    const answer = await asked(session.call("join", { params: { code: value.code } }), words);
    if (!answer) return;
    session.keep(answer.value.conversation);
    goTo(answer.value.conversation.conversationId);
  };
  return (
    <section id="join" aria-labelledby="join-title">
      <div class="card">
        <h1 id="join-title">You are invited to a group</h1>
        <p class="quiet">Its members will see that you joined, and you will see what is said from then on.</p>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="row">
          <button type="button" onClick={() => goTo(null)}>
            Not now
          </button>
          <button type="button" class="main" disabled={busy.value} onClick={() => void join()}>
            Join the group
          </button>
        </div>
      </div>
    </section>
  );
}
