import { useEffect } from "preact/hooks";
import { blocks, contacts, loadAcquaintance } from "../model/acquaintance.ts";
import { dialog } from "../model/shows.ts";
import type { Contact, Profile } from "../wire.ts";
import { nameOf } from "../words.ts";
import { Dialog } from "./Dialog.tsx";
import { PeopleFinder } from "./PeopleFinder.tsx";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const GROUPS = [
  ["incoming", "They ask to be your contact"],
  ["accepted", "Contacts"],
  ["requested", "You have asked"],
] as const;

/** Those whom the person knows, who asks to be known, and whom they block. */
export function Contacts() {
  const session = useSession();
  const { problem, asked } = useAsked();
  useEffect(() => void loadAcquaintance(session), []);
  const act = async (door: "putContact" | "removeContact" | "unblock", userId: string) => {
    if (await asked(session.call(door, { params: { userId } }))) await loadAcquaintance(session);
  };
  const shown = GROUPS.map(([state, title]) => ({
    state,
    title,
    people: contacts.value.filter((one) => one.state === state),
  }));
  const isEmpty = contacts.value.length === 0 && blocks.value.length === 0;
  return (
    <Dialog id="contacts" title="Contacts">
      <PeopleFinder
        label="Find somebody"
        act="Find"
        choose={({ userId }) => (dialog.value = { is: "person", userId })}
        without={contacts.value.map(({ userId }) => userId)}
      />
      {isEmpty && <p class="quiet">Nobody yet. Find somebody, and ask them.</p>}
      {shown.map(
        ({ state, title, people }) =>
          people.length > 0 && (
            <section key={state}>
              <h3>{title}</h3>
              <ul class="plain people">
                {people.map((contact) => (
                  <Person key={contact.userId} of={contact}>
                    <Acts contact={contact} act={(door) => void act(door, contact.userId)} />
                  </Person>
                ))}
              </ul>
            </section>
          ),
      )}
      {blocks.value.length > 0 && (
        <section>
          <h3>Blocked</h3>
          <ul class="plain people">
            {blocks.value.map((profile) => (
              <Person key={profile.userId} of={profile}>
                <button type="button" onClick={() => void act("unblock", profile.userId)}>
                  Unblock<span class="unseen"> {nameOf(profile)}</span>
                </button>
              </Person>
            ))}
          </ul>
        </section>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}

function Person({ of: profile, children }: { of: Profile; children: preact.ComponentChildren }) {
  const { userId } = profile;
  const name = nameOf(profile);
  return (
    <li>
      <PersonAvatar userId={userId} name={name} />
      <button type="button" class="link who" dir="auto" onClick={() => (dialog.value = { is: "person", userId })}>
        {name}
      </button>
      {children}
    </li>
  );
}

function Acts({ contact, act }: { contact: Contact; act: (door: "putContact" | "removeContact" | "unblock") => void }) {
  const { state } = contact;
  const name = nameOf(contact);
  const end = { incoming: "Decline", accepted: "Remove", requested: "Take back" }[state];
  return (
    <span class="acts">
      {state === "incoming" && (
        <button type="button" class="main" onClick={() => act("putContact")}>
          Accept<span class="unseen"> {name}</span>
        </button>
      )}
      <button type="button" onClick={() => act("removeContact")}>
        {end}
        <span class="unseen"> {name}</span>
      </button>
    </span>
  );
}
