import { close } from "../model/shows.ts";
import { Cancel, Dialog } from "./Dialog.tsx";

/** Asks before what cannot be undone. */
export function Sure({ question, act, then }: { question: string; act: string; then: () => void }) {
  return (
    <Dialog id="sure" title={question} role="alertdialog">
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
