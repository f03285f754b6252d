import { useRef } from "preact/hooks";
import { changePicture, setPicture } from "../model/group-picture.ts";
import { membersText } from "../phrases.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { ConversationAvatar } from "./ConversationAvatar.tsx";
import { Icon } from "./Icon.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const WORDS = {
  invalid_request: "The browser cannot read this picture",
  media_not_offered: "This server keeps no pictures",
};

/** [AP-23] [GR-8] A group's picture and title, and changing them for those who may. */
export function GroupHead({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const files = useRef<HTMLInputElement>(null);
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
          <div class="row">
            <input
              id="group-picture"
              ref={files}
              type="file"
              accept="image/*"
              hidden
              onChange={({ currentTarget }) => {
                const [file] = currentTarget.files ?? [];
                currentTarget.value = "";
                if (file) void asked(setPicture(session, id, file), WORDS);
              }}
            />
            <button type="button" onClick={() => files.current?.click()}>
              <Icon name="camera" />
              {picture ? "Replace" : "Choose a picture"}
              {picture && <span class="unseen"> the picture</span>}
            </button>
            {picture && (
              <button type="button" onClick={() => void asked(changePicture(session, id, null))}>
                Remove<span class="unseen"> the picture</span>
              </button>
            )}
          </div>
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
