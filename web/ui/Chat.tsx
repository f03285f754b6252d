import { useEffect } from "preact/hooks";
import { openId, route } from "../model/route.ts";
import { said } from "../model/shows.ts";
import { isMuted, shedText } from "../phrases.ts";
import { Announcer } from "./Announcer.tsx";
import { Conversation } from "./Conversation.tsx";
import { Dialogs } from "./Dialogs.tsx";
import { EmojiPicker } from "./EmojiPicker.tsx";
import { Join } from "./Join.tsx";
import { KeepUp } from "./KeepUp.tsx";
import { MessageMenu } from "./MessageMenu.tsx";
import { Side } from "./Side.tsx";
import { useSession } from "./session-context.ts";
import { Toast } from "./Toast.tsx";

/** The page of somebody who is signed in: the list, and what is open; on a phone one of the two. */
export function Chat() {
  const id = openId.value;
  const isJoining = route.value.is === "join";
  return (
    <>
      <main id="chat" data-shows={id || isJoining ? "conversation" : "list"}>
        <Degraded />
        <Side />
        {id && <Conversation key={id} id={id} />}
        {isJoining && <Join />}
        {!id && !isJoining && <NoneOpen />}
      </main>
      <MessageMenu />
      <EmojiPicker />
      <Dialogs />
      <KeepUp />
      <Title />
      <Announcer />
      <p class="unseen" role="status">
        {said}
      </p>
      <Toast />
    </>
  );
}

/** What an overloaded server leaves out, as long as it does. */
function Degraded() {
  const { shed } = useSession().live.value;
  return (
    <p id="degraded" role="status" hidden={shed.length === 0}>
      {shedText(shed)}
    </p>
  );
}

function NoneOpen() {
  return (
    <section id="none-open" aria-label="No conversation">
      <img src="/icon.svg" alt="" width="72" height="72" />
      <p class="quiet">Choose a conversation, or begin a new one.</p>
    </section>
  );
}

/** [CL-36] What is unread and rings is counted in the page's title. */
function Title() {
  const { list, now } = useSession();
  const unread = list.value
    .filter(({ mine }) => !mine.archived && !isMuted(mine, now.value))
    .reduce((sum, item) => sum + item.unread, 0);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Edgewise` : "Edgewise";
  }, [unread]);
  return null;
}
