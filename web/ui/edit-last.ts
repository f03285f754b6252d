import type { Session } from "../model/session.ts";
import type { Writing } from "../model/writing.ts";
import { rowsOf } from "../rows.ts";

/** The last message of mine that may still be changed comes into the field. Answers whether there is one. */
export function editLast(session: Session, writing: Writing): boolean {
  const looking = { me: session.me, now: session.now.peek() };
  const rows = rowsOf(session.state.peek(), writing.id, looking);
  const last = rows.findLast((row) => row.is === "message" && row.isMine && row.may.edit);
  if (last?.is !== "message") return false;
  writing.edit(last);
  return true;
}
