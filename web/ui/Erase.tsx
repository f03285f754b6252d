import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { dialog } from "../model/shows.ts";
import { refusalText } from "../phrases.ts";
import type { ErrorCode } from "../wire.ts";
import { Cancel, Dialog } from "./Dialog.tsx";
import { useSession } from "./session-context.ts";

type Field = "password" | "handle";
const WORDS: Partial<Record<ErrorCode, string>> = {
  rate_limited: "Too many tries: wait a minute",
  unavailable: "The server did not answer, so this may be done or not. Try again: asking twice does no harm.",
};

/** [AP-30] Ends the account. Says what goes and what stays, and asks for what only its person knows and for what nobody types by mistake. */
export function Erase() {
  const session = useSession();
  const busy = useSignal(false);
  const wrong = useSignal<{ at: Field | null; problem: string }>({ at: null, problem: "" });
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const { at } = wrong.value;
    const field = at && form.current?.elements.namedItem(at);
    if (!(field instanceof HTMLInputElement)) return;
    field.select();
    field.closest("div")?.scrollIntoView({ block: "nearest" });
  }, [wrong.value]);
  const erase = async (fields: FormData) => {
    const typed = String(fields.get("handle")).trim().toLowerCase();
    if (typed !== session.handle) {
      wrong.value = { at: "handle", problem: `This is not your handle, which is ${session.handle}` };
      return;
    }
    wrong.value = { at: null, problem: "" };
    busy.value = true;
    const answer = await session.leaving.erase(String(fields.get("password")));
    busy.value = false;
    if (answer.ok) return;
    const problem = WORDS[answer.code] ?? refusalText(answer.code);
    wrong.value =
      answer.code === "invalid_credentials"
        ? { at: "password", problem: "This is not your password" }
        : { at: null, problem };
  };
  const problemAt = (field: Field | null) => (
    <p id={`erase-${field ?? "form"}-problem`} class="problem" role="alert">
      {wrong.value.at === field ? wrong.value.problem : ""}
    </p>
  );
  const marks = (field: Field) => ({
    name: field,
    required: true,
    "aria-invalid": wrong.value.at === field,
    "aria-describedby": `erase-${field}-problem`,
  });
  return (
    <Dialog id="erase" title="Delete my account">
      <p>
        This is for ever. Nobody can bring the account back, not even whoever runs this server. You may want to{" "}
        <button type="button" class="link" onClick={() => (dialog.value = { is: "settings" })}>
          download your data
        </button>{" "}
        before.
      </p>
      <WhatGoes handle={session.handle} />
      <form
        ref={form}
        inert={busy.value}
        onSubmit={(event) => {
          event.preventDefault();
          void erase(new FormData(event.currentTarget));
        }}
      >
        <div>
          <label>
            Your password
            <input {...marks("password")} type="password" autocomplete="current-password" maxLength={256} />
          </label>
          {problemAt("password")}
        </div>
        <div>
          <label>
            Type your handle, {session.handle}, to confirm
            <input {...marks("handle")} autocomplete="off" autocapitalize="none" spellcheck={false} maxLength={64} />
          </label>
          {problemAt("handle")}
        </div>
        {problemAt(null)}
        <div class="row">
          <Cancel />
          <button type="submit" class="main danger">
            {busy.value ? "Deleting …" : "Delete my account"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the rules of erasure say, to a person. */
function WhatGoes({ handle }: { handle: string }) {
  return (
    <>
      <section>
        <h3>What goes</h3>
        <ul>
          <li>Every message that you wrote, in all conversations and on everybody’s devices, and your reactions</li>
          <li>Pictures, voice messages and files that you sent</li>
          <li>Your profile, contacts, blocks, stars, invites and reports, and what this and your other devices hold</li>
          <li>Your handle: nobody will ever be called {handle} here again</li>
        </ul>
      </section>
      <section>
        <h3>What stays</h3>
        <ul>
          <li>What others wrote to you: they keep their side, without your name on it</li>
          <li>That somebody was there and left; a group without an admin gets the one who has been in it longest</li>
          <li>What somebody has reported about you, until that is settled</li>
          <li>The number of your account, and when it was deleted: nothing else about you</li>
        </ul>
      </section>
    </>
  );
}
