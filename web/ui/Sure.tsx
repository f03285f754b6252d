import { close } from "../model/shows.ts";
import { Dialog } from "./Dialog.tsx";

/** Asks before what cannot be undone. */
export function Sure({ question, act, then }: { question: string; act: string; then: () => void }) {
  return (
    <Dialog id="sure" title={question} role="alertdialog">
      <div class="row">
        <button type="button" onClick={close}>
          Cancel
        </button>
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
