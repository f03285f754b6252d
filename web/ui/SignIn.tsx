import { useSignal } from "@preact/signals";
import { enter, knownProfiles } from "../model/screen.ts";
import { signIn } from "../model/sign-in.ts";
import { Avatar } from "./Avatar.tsx";

/** The way in: an account that is known here, or handle and password. */
export function SignIn() {
  const problem = useSignal("");
  const busy = useSignal(false);
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
      <p class="quiet">Try it: make an account here, another in a second tab, and talk to yourself.</p>
      <Known />
      <form onSubmit={(event) => void submit(event)} inert={busy.value}>
        <label>
          Handle
          <input
            name="handle"
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

/** Where there is a keyboard, one can write at once. */
function begin(field: HTMLInputElement | null): void {
  if (matchMedia("(pointer: fine)").matches) field?.focus();
}

function Known() {
  const known = knownProfiles();
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
