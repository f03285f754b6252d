import { useSignal } from "@preact/signals";
import { route } from "../model/route.ts";
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
      {ended ? <Ended {...ended} /> : <Welcome />}
      <Erased />
      <Known but={ended?.handle ?? null} />
      <form onSubmit={(event) => void submit(event)} inert={busy.value}>
        <div class="hinted">
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
              aria-describedby="handle-hint"
            />
          </label>
          <small id="handle-hint" class="quiet">
            A name of your own, by which others find you
          </small>
        </div>
        <div class="hinted">
          <label>
            Password
            <input
              name="password"
              type="password"
              autocomplete="current-password"
              autocapitalize="none"
              spellcheck={false}
              required
              minLength={8}
              maxLength={256}
              aria-describedby="password-hint"
            />
          </label>
          <small id="password-hint" class="quiet">
            8 characters at least
          </small>
        </div>
        <label class="check">
          <input type="checkbox" onChange={reveal} />
          Show what I type
        </label>
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="row">
          {(ended ? [SIGN_IN, SIGN_UP] : [SIGN_UP, SIGN_IN]).map(([value, name], i) => (
            <button key={value} type="submit" value={value} class={i === 0 ? "main" : ""}>
              {name}
            </button>
          ))}
        </div>
      </form>
    </main>
  );
}

/** The first of them is what Enter does. */
const SIGN_UP = ["signUp", "Create account"] as const;
const SIGN_IN = ["signIn", "Sign in"] as const;

/** [AP-47] What somebody new is to do here, and why they were sent. */
function Welcome() {
  const isInvited = route.value.is === "join";
  return (
    <p class={isInvited ? "" : "quiet"}>
      {isInvited
        ? "You are invited to a group. Create an account, or sign in, and you see which."
        : "New here? Choose a handle and a password, and create an account. Else sign in with yours."}
    </p>
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

/** So that a long password can be read while it is typed. */
function reveal({ currentTarget: { checked, form } }: { currentTarget: HTMLInputElement }): void {
  const field = form?.elements.namedItem("password");
  if (field instanceof HTMLInputElement) field.type = checked ? "text" : "password";
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
