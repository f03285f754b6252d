import { heldOf, timelineOf, wordsOf } from "../../src/sdk/drawing.ts";
import { GONE } from "../phrases.ts";
import { Icon } from "./Icon.tsx";
import { IconButton } from "./IconButton.tsx";
import { useSession } from "./session-context.ts";
import { useWriting } from "./writing-context.ts";

/** What the text in the field is about: a message that it changes, or one that it answers. */
export function ComposerAbout() {
  const writing = useWriting();
  if (writing.editing.value)
    return (
      <p id="editing" class="about">
        <Icon name="write" />
        <span>{writing.editing.value.isCaption ? "Editing a caption" : "Editing a message"}</span>
        <IconButton icon="close" label="Cancel editing" onClick={() => writing.endEdit()} />
      </p>
    );
  return writing.replyTo === null ? null : <Answered seq={writing.replyTo} />;
}

function Answered({ seq }: { seq: number }) {
  const session = useSession();
  const writing = useWriting();
  const { events } = heldOf(session.back.stateOf(writing.id), writing.id);
  const from = Math.max(
    0,
    events.findIndex((event) => event.seq === seq),
  );
  const lines = timelineOf(events.slice(from), { me: session.me, wishes: [], now: session.now.value });
  const line = lines.find(({ event }) => event.seq === seq);
  const sender = line?.event.senderId;
  const name = sender === undefined ? "" : sender === session.me ? "yourself" : session.naming.value.name(sender);
  return (
    <p id="answering" class="about">
      <Icon name="reply" />
      <span>
        <b>Replying to {name}</b>
        <span class="said" dir="auto">
          {(line && wordsOf(line)) ?? GONE.recalled}
        </span>
      </span>
      <IconButton icon="close" label="Cancel the reply" onClick={() => writing.answer(null)} />
    </p>
  );
}
