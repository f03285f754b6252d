import { useComputed } from "@preact/signals";
import { heldOf } from "../../src/sdk/drawing.ts";
import { blocks, contacts, isAcquainted, loadAcquaintance } from "../model/acquaintance.ts";
import { ask, dialog, tell } from "../model/shows.ts";
import { BLOCKED, refusalText } from "../phrases.ts";
import type { ConversationId, UserId } from "../wire.ts";
import { useSession } from "./session-context.ts";

/** [AP-32] Somebody who is no contact of mine has written, and I have not answered: who they are to me, and what I can do about it. */
export function Stranger({ id }: { id: ConversationId }) {
  const session = useSession();
  const peer = session.naming.value.peer(id);
  const speaks = useComputed(() => {
    const { events } = heldOf(session.state.value, id);
    const senders = events.flatMap((event) => (event.kind === "message" ? [event.senderId] : []));
    const isOut = session.state.value.outbox.some((entry) => entry.conversationId === id);
    return senders.length > 0 && !isOut && !senders.includes(session.me);
  });
  const isBlocked = blocks.value.some(({ userId }) => userId === peer);
  const state = contacts.value.find(({ userId }) => userId === peer)?.state;
  if (!peer || !isAcquainted.value || isBlocked || state === "accepted") return null;
  if (state !== "incoming" && !speaks.value) return null;
  return <Offer userId={peer} asks={state === "incoming"} />;
}

function Offer({ userId, asks }: { userId: UserId; asks: boolean }) {
  const session = useSession();
  const naming = session.naming.value;
  const [name, handle] = [naming.name(userId), naming.handle(userId)];
  const act = async (door: "putContact" | "removeContact" | "block") => {
    const answer = await session.call(door, { params: { userId } });
    if (answer.ok) await loadAcquaintance(session);
    else tell(refusalText(answer.code));
  };
  return (
    <section id="stranger" aria-label="Who this is">
      <p dir="auto">
        <bdi>{name}</bdi> {name !== handle && <span class="quiet">@{handle} </span>}
        {asks ? "asks to be your contact." : "is not one of your contacts."}
      </p>
      {asks ? (
        <span class="acts">
          <button type="button" onClick={() => void act("removeContact")}>
            Decline
          </button>
          <button type="button" class="main" onClick={() => void act("putContact")}>
            Accept
          </button>
        </span>
      ) : (
        <span class="acts">
          <button
            type="button"
            class="danger"
            onClick={() => ask(`Block ${name}?`, "Block", () => void act("block"), BLOCKED)}
          >
            Block
          </button>
          <button type="button" class="danger" onClick={() => (dialog.value = { is: "report", reported: { userId } })}>
            Report
          </button>
        </span>
      )}
    </section>
  );
}
