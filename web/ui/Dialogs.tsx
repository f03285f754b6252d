import { dialog } from "../model/shows.ts";
import { Camera } from "./Camera.tsx";
import { Contacts } from "./Contacts.tsx";
import { ConversationInfo } from "./ConversationInfo.tsx";
import { Erase } from "./Erase.tsx";
import { Forward } from "./Forward.tsx";
import { MessageInfo } from "./MessageInfo.tsx";
import { NewConversation } from "./NewConversation.tsx";
import { PersonInfo } from "./PersonInfo.tsx";
import { Report } from "./Report.tsx";
import { Settings } from "./Settings.tsx";
import { Stars } from "./Stars.tsx";
import { Sure } from "./Sure.tsx";
import { Viewer } from "./Viewer.tsx";

/** What lies over the page. */
export function Dialogs() {
  const shown = dialog.value;
  switch (shown?.is) {
    case "settings":
      return <Settings />;
    case "erase":
      return <Erase />;
    case "new":
      return <NewConversation />;
    case "contacts":
      return <Contacts />;
    case "conversation":
      return <ConversationInfo key={shown.id} id={shown.id} />;
    case "person":
      return <PersonInfo key={shown.userId} userId={shown.userId} />;
    case "stars":
      return <Stars />;
    case "forward":
      return <Forward key={shown.seq} id={shown.id} seq={shown.seq} />;
    case "report":
      return <Report reported={shown.reported} />;
    case "message":
      return <MessageInfo key={shown.seq} id={shown.id} seq={shown.seq} />;
    case "picture":
      return <Viewer media={shown.media} all={shown.all} />;
    case "camera":
      return <Camera take={shown.take} />;
    case "sure":
      return <Sure {...shown} />;
    default:
      return null;
  }
}
