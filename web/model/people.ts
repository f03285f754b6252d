import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { Profile } from "../../src/protocol/http.ts";
import { ok, type Result } from "../../src/protocol/result.ts";
import type { Session } from "./session.ts";

/** Those who have these handles, with spaces or commas between. The first that nobody has refuses. */
export async function findPeople(session: Session, handles: string): Promise<Result<Profile[], ErrorCode>> {
  const wanted = handles.split(/[\s,]+/).filter(Boolean);
  const found = await Promise.all(wanted.map((handle) => session.call("findUser", { query: { handle } })));
  const people: Profile[] = [];
  for (const answer of found) {
    if (!answer.ok) return answer;
    session.keepUser(answer.value);
    people.push(answer.value);
  }
  return ok(people);
}
