import { useComputed, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { dialog } from "../model/shows.ts";
import { Writing } from "../model/writing.ts";
import { durationText, waitingText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { CannotSend, whyNot } from "./CannotSend.tsx";
import { Composer } from "./Composer.tsx";
import { FindInside } from "./FindInside.tsx";
import { Header } from "./Header.tsx";
import { Icon } from "./Icon.tsx";
import { Log } from "./Log.tsx";
import { Stranger } from "./Stranger.tsx";
import { useSession } from "./session-context.ts";
import { Tray } from "./Tray.tsx";
import { WritingContext } from "./writing-context.ts";

/** The open conversation: what it is, what was said, and the field to write in. */
export function Conversation({ id }: { id: ConversationId }) {
  const session = useSession();
  const writing = useMemo(() => new Writing(session, id), [session, id]);
  const dropping = useSignal(false);
  const retentionMs = useComputed(() => session.naming.value.retentionMs(id)).value;
  const finding = useSignal(false);
  const why = whyNot(session, id);
  const waiting = session.naming.value.isAdmin(id) ? session.told.waitingIn(id) : 0;
  return (
    <WritingContext.Provider value={writing}>
      <section
        id="conversation"
        aria-labelledby="title"
        class={dropping.value ? "dropping" : ""}
        onDragOver={(event) => {
          if (!holdsFiles(event) || why) return;
          event.preventDefault();
          dropping.value = true;
        }}
        onDragLeave={({ currentTarget, relatedTarget }) => {
          if (!(relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) dropping.value = false;
        }}
        onDrop={(event) => {
          dropping.value = false;
          if (!holdsFiles(event) || why) return;
          event.preventDefault();
          writing.stage(event.dataTransfer?.files);
        }}
      >
        <Header id={id} find={() => (finding.value = true)} />
        {finding.value && <FindInside id={id} end={() => (finding.value = false)} />}
        <Stranger id={id} />
        {waiting > 0 && (
          <button type="button" id="waiting" onClick={() => (dialog.value = { is: "conversation", id })}>
            <Icon name="people" />
            {waitingText(waiting)}
          </button>
        )}
        {retentionMs > 0 && (
          <p id="keeping" class="quiet">
            <Icon name="timer" />
            New messages disappear after {durationText(retentionMs)}
          </p>
        )}
        {session.whole.value ? <Log id={id} /> : <div id="log-frame" />}
        {why ? (
          <CannotSend id={id} why={why} />
        ) : (
          <>
            <Tray id={id} />
            <Composer id={id} />
          </>
        )}
        <p class="drop-here" aria-hidden="true">
          Drop files to send them
        </p>
      </section>
    </WritingContext.Provider>
  );
}

const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
