import { close } from "../model/shows.ts";
import { Cancel, Dialog } from "./Dialog.tsx";

type Props = { question: string; about: string; act: string; then: () => void };

/** Asks before what cannot be undone. */
export function Sure({ question, about, act, then }: Props) {
  return (
    <Dialog id="sure" title={question} role="alertdialog">
      {about && <p class="quiet">{about}</p>}
      <div class="row">
        <Cancel />
        <button
          type="button"
          class="main danger"
          onClick={() => {
            close();
            then();
          }}
        >
          {act}
        </button>
      </div>
    </Dialog>
  );
}
