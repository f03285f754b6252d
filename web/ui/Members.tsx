import { dialog } from "../model/shows.ts";
import { membersText } from "../phrases.ts";
import type { ConversationId, UserId } from "../wire.ts";
import { PeopleFinder } from "./PeopleFinder.tsx";
import { PersonAvatar } from "./PersonAvatar.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const WORDS = { forbidden: "They choose who may add them to a group: send them an invite link" };

/** Who is in the group; whoever may adds, and its admins remove and make admins. */
export function Members({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const naming = session.naming.value;
  const isAdmin = naming.isAdmin(id);
  const people = naming.people(id).toSorted((a, b) => Number(b.role === "admin") - Number(a.role === "admin"));
  const { members } = session.chat(id);
  const put = (userId: UserId, role: "admin" | "member") => asked(session.answered(members.put(userId, role)), WORDS);
  const remove = async (userId: UserId) => {
    if (await asked(session.answered(members.remove(userId)))) await asked(session.answered(members.load()));
  };
  const mayAdd = naming.may(id, "adding") && (isAdmin || !naming.rules(id).approval); // [GR-10]
  return (
    <section>
      <h3>{membersText(people.length)}</h3>
      <ul class="plain people" id="members" inert={busy.value}>
        {people.map(({ userId, role }) => {
          const name = userId === session.me ? "you" : naming.name(userId);
          const other = role === "admin" ? "member" : "admin";
          return (
            <li key={userId}>
              <PersonAvatar userId={userId} name={naming.name(userId)} />
              <span class="who">
                {userId === session.me ? (
                  name
                ) : (
                  <button type="button" class="link who" onClick={() => (dialog.value = { is: "person", userId })}>
                    {name}
                  </button>
                )}
                {role === "admin" && <small class="badge">admin</small>}
              </span>
              {isAdmin && (
                <span class="acts">
                  <button type="button" onClick={() => void put(userId, other)}>
                    {other === "admin" ? "Make admin" : "Dismiss as admin"}
                    <span class="unseen"> {name}</span>
                  </button>
                  {userId !== session.me && (
                    <button type="button" onClick={() => void remove(userId)}>
                      Remove<span class="unseen"> {name}</span>
                    </button>
                  )}
                </span>
              )}
            </li>
          );
        })}
      </ul>
      {mayAdd && (
        <div inert={busy.value}>
          <PeopleFinder
            label="Add somebody"
            act="Add"
            without={people.map(({ userId }) => userId)}
            choose={({ userId }) => put(userId, "member")}
          />
        </div>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
