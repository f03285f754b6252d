import { changePicture, setPicture } from "../model/group-picture.ts";
import { membersText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { ConversationAvatar } from "./ConversationAvatar.tsx";
import { PICTURE_WORDS, PictureChoice } from "./PictureChoice.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

/** [AP-23] [GR-8] A group's picture and title, and changing them for those who may. */
export function GroupHead({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const naming = session.naming.value;
  const picture = naming.picture(id);
  const maySet = naming.may(id, "setting");
  const rename = (title: string) => asked(session.answered(session.chat(id).change({ title })));
  return (
    <section class="group-head" inert={busy.value}>
      <div class="pictured">
        <ConversationAvatar name={plainName(naming.title(id))} isGroup picture={picture} large />
        <p class="quiet" role="status">
          {busy.value ? "Saving …" : membersText(naming.people(id).length)}
        </p>
        {maySet && (
          <PictureChoice
            id="group-picture"
            has={picture !== null}
            what="the picture"
            choose={(file) => void asked(setPicture(session, id, file), PICTURE_WORDS)}
            remove={() => void asked(changePicture(session, id, null))}
          />
        )}
      </div>
      {maySet && (
        <form
          class="inline"
          onSubmit={(event) => {
            event.preventDefault();
            void rename(String(new FormData(event.currentTarget).get("title")).trim());
          }}
        >
          <label>
            Title
            <input name="title" required maxLength={100} autocomplete="off" defaultValue={naming.title(id)} />
          </label>
          <button type="submit">Rename</button>
        </form>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
