import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { install, installing } from "../model/install.ts";
import { dialog } from "../model/shows.ts";
import { refusalText } from "../phrases.ts";
import type { Me, Privacy } from "../wire.ts";
import { Devices } from "./Devices.tsx";
import { Dialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { OwnPicture } from "./OwnPicture.tsx";
import { useSession } from "./session-context.ts";
import { TakeOut } from "./TakeOut.tsx";

const VISIBLE_TO = { everyone: "Everybody", contacts: "My contacts", nobody: "Nobody" } as const;
const FIELDS = {
  lastSeen: "Who sees when I am online and was last seen",
  readReceipts: "Who sees that I have read a message",
  conversations: "Who may write to me first, or add me to a group",
  findable: "Who finds me by my name",
  picture: "Who sees my picture",
} as const satisfies Record<keyof Privacy, string>;
const MUTUAL = ["lastSeen", "readReceipts"] as const;
const ONE_WAY = ["picture", "conversations", "findable"] as const;

/** The person's settings: what they are called, who sees what of them, whether this device rings, and their devices. */
export function Settings() {
  const session = useSession();
  const me = useSignal<Pick<Me, "displayName" | "privacy"> | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    void session.answered(session.client.profile.load()).then((answer) => {
      if (answer.ok) me.value = answer.value;
      else problem.value = refusalText(answer.code);
    });
  }, []);
  // Another device of the person has changed it meanwhile.
  const told = session.live.value.profile;
  useEffect(() => {
    if (told) me.value = told;
  }, [told]);
  const change = async (body: { displayName?: string; privacy?: Partial<Privacy> }) => {
    const answer = await session.answered(session.client.profile.change(body));
    if (answer.ok) me.value = answer.value;
    problem.value = answer.ok ? "" : refusalText(answer.code);
  };
  const choice = (field: keyof Privacy) => (
    <label key={field}>
      {FIELDS[field]}
      <select
        disabled={!me.value}
        value={me.value?.privacy[field] ?? "everyone"}
        onChange={({ currentTarget }) => void change({ privacy: { [field]: currentTarget.value } })}
      >
        {Object.entries(VISIBLE_TO).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <Dialog id="settings" title="Settings">
      <section>
        <h3>Profile</h3>
        <OwnPicture />
        <label>
          Name that others see
          <input
            maxLength={100}
            autocomplete="name"
            disabled={!me.value}
            value={me.value?.displayName ?? ""}
            onChange={({ currentTarget }) => void change({ displayName: currentTarget.value })}
          />
        </label>
      </section>
      <section>
        <h3>Privacy</h3>
        <p class="quiet">Whoever hides one of the first two does not see it of others either.</p>
        {MUTUAL.map(choice)}
        {ONE_WAY.map(choice)}
        <p class="quiet">
          Nobody whom you block sees your picture. Whoever knows your whole handle finds you in any case.
        </p>
      </section>
      <Ring tell={(text) => (problem.value = text)} />
      <p id="settings-problem" class="problem" role="alert">
        {problem}
      </p>
      <Devices />
      <TakeOut />
      <Leaving />
    </Dialog>
  );
}

function Ring({ tell }: { tell: (problem: string) => void }) {
  const session = useSession();
  const busy = useSignal(false);
  const turn = async (input: HTMLInputElement) => {
    busy.value = true;
    tell(await session.ring(input.checked));
    busy.value = false;
    input.checked = session.rings.value;
  };
  return (
    <section>
      <h3>Notifications</h3>
      <label class="check">
        <input
          id="push-on"
          type="checkbox"
          checked={session.rings.value}
          disabled={busy.value}
          onChange={({ currentTarget }) => void turn(currentTarget)}
        />
        Tell me on this device while the page is closed
      </label>
    </section>
  );
}

function Leaving() {
  const session = useSession();
  return (
    <section class="row">
      {installing.value && (
        <button type="button" onClick={() => void install()}>
          <Icon name="device" />
          Install as an app
        </button>
      )}
      <button type="button" onClick={() => void session.leaving.signOut()}>
        <Icon name="out" />
        Sign out
      </button>
      <button type="button" class="danger" onClick={() => (dialog.value = { is: "erase" })}>
        <Icon name="trash" />
        Delete my account …
      </button>
    </section>
  );
}
