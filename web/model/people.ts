import { refusalText } from "../phrases.ts";
import type { FoundPerson, Profile } from "../wire.ts";
import type { Session } from "./session.ts";

/** Who has this handle; what is in the way otherwise, for a person. */
export async function personCalled(session: Session, handle: string): Promise<Profile | string> {
  const answer = await session.answered(session.client.people.find(handle));
  if (!answer.ok) return answer.code === "not_found" ? `Nobody is called ${handle}` : refusalText(answer.code);
  return answer.value;
}

/** [PE-1] Who may be meant; what is in the way otherwise, for a person. A server that searches for nobody finds nobody. [PE-6] */
export async function peopleLike(session: Session, words: string): Promise<readonly FoundPerson[] | string> {
  const answer = await session.call("findPeople", { query: { q: words } });
  if (answer.ok) return answer.value.users;
  return answer.code === "people_search_not_offered" ? [] : refusalText(answer.code);
}
