import { useEffect } from "preact/hooks";
import { blocks, contacts, loadAcquaintance } from "../model/acquaintance.ts";
import { goTo } from "../model/route.ts";
import { ask, close, dialog, tell } from "../model/shows.ts";
import { BLOCKED, refusalText } from "../phrases.ts";
import type { UserId } from "../wire.ts";
import { Dialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** Somebody whom the person came across, in a group for instance. */
export function PersonInfo({ userId }: { userId: UserId }) {
  const session = useSession();
  const { problem, asked } = useAsked();
  const talk = async () => {
    const answer = await asked(session.answered(session.client.conversations.openDirect(userId)), {
      forbidden: "They choose who may write to them first",
    });
    if (!answer) return;
    close();
    goTo(answer.value.id);
  };
  return (
    <Dialog id="about" title={session.naming.value.name(userId)}>
      <PersonActs userId={userId} />
      <section>
        <button type="button" class="main" onClick={() => void talk()}>
          Write to them
        </button>
        <p class="problem" role="alert">
          {problem}
        </p>
      </section>
    </Dialog>
  );
}

const STATE = {
  none: "You are not contacts.",
  requested: "You have asked them to be a contact.",
  incoming: "They ask to be your contact.",
  accepted: "You are contacts.",
} as const;

/** Who somebody is to me, and what I can change about that. */
export function PersonActs({ userId }: { userId: UserId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  useEffect(() => void loadAcquaintance(session), []);
  const state = contacts.value.find((contact) => contact.userId === userId)?.state ?? "none";
  const isBlocked = blocks.value.some((profile) => profile.userId === userId);
  const act = async (door: "putContact" | "removeContact" | "unblock") => {
    if (await asked(session.call(door, { params: { userId } }))) await loadAcquaintance(session);
  };
  const block = async () => {
    const answer = await session.call("block", { params: { userId } });
    if (answer.ok) await loadAcquaintance(session);
    else tell(refusalText(answer.code));
  };
  const name = session.naming.value.name(userId);
  const handle = session.naming.value.handle(userId);
  return (
    <section class="person">
      <PersonAvatar userId={userId} name={name} large />
      {handle !== name && <p class="quiet handle">@{handle}</p>}
      <p>{isBlocked ? "You block them: what they write to you alone does not reach you." : STATE[state]}</p>
      <div class="row" inert={busy.value}>
        {!isBlocked && (state === "none" || state === "incoming") && (
          <button type="button" onClick={() => void act("putContact")}>
            <Icon name="people" />
            {state === "none" ? "Ask to be a contact" : "Accept"}
          </button>
        )}
        {state !== "none" && (
          <button type="button" onClick={() => void act("removeContact")}>
            {{ requested: "Take it back", incoming: "Decline", accepted: "End being contacts" }[state]}
          </button>
        )}
        {isBlocked ? (
          <button type="button" onClick={() => void act("unblock")}>
            Unblock
          </button>
        ) : (
          <button
            type="button"
            class="danger"
            onClick={() => ask(`Block ${name}?`, "Block", () => void block(), BLOCKED)}
          >
            <Icon name="block" />
            Block
          </button>
        )}
        <button type="button" class="danger" onClick={() => (dialog.value = { is: "report", reported: { userId } })}>
          <Icon name="flag" />
          Report
        </button>
      </div>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
