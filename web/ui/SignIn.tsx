import { useSignal } from "@preact/signals";
import { enter, erased, knownProfiles, screen, throwAway } from "../model/screen.ts";
import { signIn } from "../model/sign-in.ts";
import { Avatar } from "./Avatar.tsx";

/** The way in: an account that is known here, or handle and password. */
export function SignIn() {
  const problem = useSignal("");
  const busy = useSignal(false);
  const { ended } = screen.value.is === "sign-in" ? screen.value : { ended: null };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const isNew = event.submitter instanceof HTMLButtonElement && event.submitter.value === "signUp";
    const data = new FormData(event.currentTarget);
    problem.value = "";
    busy.value = true;
    problem.value = await signIn(isNew, String(data.get("handle")), String(data.get("password")));
    busy.value = false;
  };
  return (
    <main class="card" id="sign-in">
      <header>
        <img src="/icon.svg" alt="" width="40" height="40" />
        <h1>Edgewise</h1>
      </header>
      {ended ? (
        <Ended {...ended} />
      ) : (
        <p class="quiet">Try it: make an account here, another in a second tab, and talk to yourself.</p>
      )}
      <Erased />
      <Known but={ended?.handle ?? null} />
      <form onSubmit={(event) => void submit(event)} inert={busy.value}>
        <label>
          Handle
          <input
            name="handle"
            defaultValue={ended?.handle ?? ""}
            ref={begin}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            minLength={2}
            maxLength={64}
          />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            autocomplete="current-password"
            required
            minLength={8}
            maxLength={256}
          />
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="row">
          <button type="submit" value="signUp" class="main">
            Create account
          </button>
          <button type="submit" value="signIn">
            Sign in
          </button>
        </div>
      </form>
    </main>
  );
}

/** [AP-30] */
function Erased() {
  if (erased.value === null) return null;
  return (
    <p id="erased" role="status">
      <strong>The account {erased.value} is deleted.</strong> Nothing of it is left in this browser; on the server the
      last traces go within a few hours.
    </p>
  );
}

const ENDED = {
  revoked: "This device was signed out, and what it had is gone from it.",
  expired: "You were away for long, so this device was signed out.",
} as const;

/** [AP-31] */
function Ended({ handle, because, waiting }: { handle: string; because: keyof typeof ENDED; waiting: number }) {
  const what = waiting === 1 ? "One message was" : `${waiting} messages were`;
  return (
    <div id="ended">
      <p role="status">
        {ENDED[because]}
        {waiting > 0 && ` ${what} not sent yet: sign in as ${handle}, and they go out.`}
      </p>
      {waiting > 0 && (
        <button type="button" class="link" onClick={() => void throwAway()}>
          Throw away what was not sent
        </button>
      )}
    </div>
  );
}

/** Where there is a keyboard, one can write at once. */
function begin(field: HTMLInputElement | null): void {
  if (matchMedia("(pointer: fine)").matches) field?.focus();
}

function Known({ but }: { but: string | null }) {
  const known = knownProfiles().filter(({ handle }) => handle !== but);
  if (known.length === 0) return null;
  return (
    <section id="known">
      <h2>Continue as</h2>
      <ul class="plain">
        {known.map(({ profile, handle }) => (
          <li key={profile}>
            <button type="button" onClick={() => void enter({ profile })}>
              <Avatar name={handle} />
              {handle}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
