import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import { contacts } from "../model/acquaintance.ts";
import { peopleLike, personCalled } from "../model/people.ts";
import type { Profile } from "../wire.ts";
import { nameOf } from "../words.ts";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";

/** Asked only when the person pauses. Ms. */
const PAUSE_MS = 250;
/** Contacts that are offered before anything is written. */
const OFFERED = 5;
type Found = { words: string; people: readonly Profile[] | string };
type Props = {
  label: string;
  /** What the button beside the field does with whom it names. */
  act: string;
  choose: (person: Profile) => unknown;
  /** Those who are not offered: they are there already. */
  without?: readonly string[];
  /** Whether the dialog begins here. */
  begins?: boolean;
};

/** [AP-22] Somebody by name, by the beginning of their handle, or from the contacts; a whole handle and Enter will do as well. */
export function PeopleFinder({ label, act, choose, without = [], begins = false }: Props) {
  const session = useSession();
  const id = useId();
  const words = useSignal("");
  const found = useSignal<Found>({ words: "", people: [] });
  const problem = useSignal("");
  const wanted = words.value.trim();
  useEffect(() => {
    if (wanted === "") return;
    let isWanted = true;
    const timer = setTimeout(
      () =>
        void peopleLike(session, wanted).then((people) => {
          if (isWanted) found.value = { words: wanted, people };
        }),
      PAUSE_MS,
    );
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  const take = (person: Profile) => {
    void session.answered(session.client.people.keep(person));
    words.value = problem.value = "";
    void choose(person);
  };
  const submit = async () => {
    const named = words.peek().trim();
    if (named === "") return;
    const person = await personCalled(session, named);
    if (typeof person === "string") problem.value = person;
    else take(person);
  };
  const isAnswered = found.value.words === wanted;
  const { people } = found.value;
  const known = contacts.value.filter(({ state }) => state === "accepted").slice(0, OFFERED);
  const all = wanted === "" ? known : typeof people === "string" ? [] : people;
  const offered = all.filter(({ userId }) => userId !== session.me && !without.includes(userId));
  const isNobody = wanted !== "" && isAnswered && offered.length === 0 && typeof people !== "string";
  const isLittle = [...wanted].length < 3; // [PE-5]
  return (
    <div class="finder" ref={moveAmong}>
      <form
        class="inline"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <label>
          {label}
          <input
            placeholder="Name or handle"
            data-begins={begins}
            autocapitalize="none"
            autocomplete="off"
            spellcheck={false}
            maxLength={100}
            aria-describedby={`${id}-said`}
            value={words}
            onInput={({ currentTarget }) => {
              words.value = currentTarget.value;
              problem.value = "";
            }}
          />
        </label>
        <button type="submit" disabled={wanted === ""}>
          {act}
        </button>
      </form>
      <p id={`${id}-said`} class="quiet" role="status">
        {isNobody && !problem.value ? (isLittle ? "Write a little more" : "Nobody is found by that.") : ""}
        {wanted !== "" && offered.length > 0 && <span class="unseen">{offered.length} found, below</span>}
      </p>
      <p class="problem" role="alert">
        {problem.value || (wanted !== "" && isAnswered && typeof people === "string" ? people : "")}
      </p>
      {offered.length > 0 && (
        <ul class="plain choices" aria-label={wanted === "" ? "Contacts" : "People found"}>
          {offered.map((person) => (
            <li key={person.userId}>
              <Choice person={person} isFound={wanted !== ""} take={take} />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

type Choosing = { person: Profile; isFound: boolean; take: (person: Profile) => void };
/** Whoever was found need not be known here: their picture is as the search tells it. */
function Choice({ person, isFound, take }: Choosing) {
  const { userId, handle, avatarMediaId } = person;
  const name = nameOf(person);
  return (
    <button type="button" class="choice" onClick={() => take(person)}>
      <PersonAvatar userId={userId} name={name} told={isFound ? (avatarMediaId ?? null) : undefined} />
      <span class="who">
        <bdi>{name}</bdi>
        {name !== handle && <small class="quiet">@{handle}</small>}
      </span>
    </button>
  );
}

/** The arrows lead from the field to those who are found, and from one to the next. */
function moveAmong(finder: HTMLElement | null): void {
  if (!finder) return;
  finder.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const stops = [...finder.querySelectorAll<HTMLElement>("input, .choice")];
    const next = step === undefined ? undefined : stops[stops.indexOf(document.activeElement as HTMLElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
}
