import { changeOwnPicture, setOwnPicture } from "../model/own-picture.ts";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { PICTURE_WORDS, PictureChoice } from "./PictureChoice.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** [AP-43] What others see of the person, and changing it. */
export function OwnPicture() {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  return (
    <div id="own-picture" inert={busy.value}>
      <div class="pictured">
        <PersonAvatar userId={session.me} name={session.handle} large />
        <p class="quiet" role="status">
          {busy.value ? "Saving …" : ""}
        </p>
        <PictureChoice
          id="own-picture-file"
          has={session.naming.value.face(session.me) !== null}
          what="my picture"
          choose={(file) => void asked(setOwnPicture(session, file), PICTURE_WORDS)}
          remove={() => void asked(changeOwnPicture(session, null))}
        />
      </div>
      <p class="problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
