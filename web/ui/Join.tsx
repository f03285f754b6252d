import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { goTo, route } from "../model/route.ts";
import { membersText } from "../phrases.ts";
import type { InviteCode, InvitePreview } from "../wire.ts";
import { plainName } from "../words.ts";
import { Avatar } from "./Avatar.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const WORDS = {
  not_found: "This invite is not valid any more",
  invite_over: "This invite is not valid any more",
  forbidden: "You cannot join by this invite",
  too_many_waiting: "Too many people wait to be let in just now",
} as const;

/** Somebody followed an invite. */
export function Join() {
  const { value } = route;
  return value.is === "join" ? <Invited key={value.code} code={value.code} /> : null;
}

/** [AP-20] Where the invite leads, as far as the server tells; it is for the person to say whether they join. */
function Invited({ code }: { code: InviteCode }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const group = useSignal<InvitePreview | null>(null);
  useEffect(() => {
    void asked(session.call("invite", { params: { code } }), WORDS).then((answer) => {
      if (answer) group.value = answer.value;
    });
  }, []);
  const join = async () => {
    const answer = await asked(session.answered(session.client.conversations.join(code)), WORDS);
    if (answer?.value.is === "member") goTo(answer.value.conversation.id);
    else if (answer && group.value) group.value = { ...group.value, state: "requested" };
  };
  return (
    <section id="join" aria-labelledby="join-title">
      <div class="card">
        <About group={group.value} />
        <p class="problem" role="alert">
          {problem}
        </p>
        <p class="waiting" role="status">
          {group.value?.state === "requested" && "You have asked to join. An admin has to let you in."}
        </p>
        <div class="row">
          <button type="button" onClick={() => goTo(null)}>
            {group.value?.state === "requested" ? "Back to the conversations" : "Not now"}
          </button>
          {group.value?.state === "member" ? (
            <button type="button" class="main" onClick={() => goTo(group.value?.conversationId ?? null)}>
              Open the group
            </button>
          ) : (
            group.value?.state === "outside" && (
              <button type="button" class="main" disabled={busy.value} onClick={() => void join()}>
                {group.value.approval ? "Ask to join" : "Join the group"}
              </button>
            )
          )}
        </div>
      </div>
    </section>
  );
}

function About({ group }: { group: InvitePreview | null }) {
  if (!group) return <h1 id="join-title">You are invited to a group</h1>;
  const { title, memberCount, approval, state, avatar } = group;
  const after = approval ? "An admin has to let you in." : "Its members will see that you joined.";
  return (
    <div class="invited">
      <Avatar name={plainName(title)} isGroup large picture={avatar?.url} />
      <h1 id="join-title">
        {state === "outside" ? "Join " : ""}
        <bdi>{plainName(title)}</bdi>
        {state === "outside" ? "?" : ""}
      </h1>
      <p class="quiet">{membersText(memberCount)}</p>
      {state === "outside" && <p class="quiet">{after}</p>}
    </div>
  );
}
