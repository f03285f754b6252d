import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock } from "../clock.ts";
import { jumpTo } from "../model/route.ts";
import { refusalText } from "../phrases.ts";
import type { SearchHit } from "../wire.ts";
import { plainName } from "../words.ts";
import { useSession } from "./session-context.ts";

/** Asked only when the person pauses. Ms. */
const PAUSE_MS = 250;
type Found = { hits: readonly SearchHit[]; cursor: string | null; incomplete: boolean; problem: string; busy: boolean };
const NOTHING: Found = { hits: [], cursor: null, incomplete: false, problem: "", busy: true };

/** The messages that show these words, found by the server in all of my conversations. */
export function SearchResults({ query }: { query: string }) {
  const session = useSession();
  const found = useSignal(NOTHING);
  const search = async (before: Found, isWanted: () => boolean) => {
    const answer = await session.call("search", {
      query: { q: query, limit: 30, ...(before.cursor ? { cursor: before.cursor } : {}) },
    });
    if (!isWanted()) return;
    if (!answer.ok) found.value = { ...before, busy: false, problem: refusalText(answer.code) };
    else {
      const { hits, cursor = null, incomplete } = answer.value;
      found.value = { hits: [...before.hits, ...hits], cursor, incomplete, problem: "", busy: false };
    }
  };
  useEffect(() => {
    let isWanted = true;
    found.value = NOTHING;
    const timer = setTimeout(() => void search(NOTHING, () => isWanted), PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [query]);
  const { hits, cursor, incomplete, problem, busy } = found.value;
  return (
    <section id="found" aria-labelledby="found-title">
      <h2 id="found-title">Messages</h2>
      <p class="quiet nothing" role="status">
        {busy ? "Searching …" : hits.length === 0 && !problem ? "No message has these words." : ""}
      </p>
      {problem && <p class="problem">{problem}</p>}
      <ul class="plain list">
        {hits.map((hit) => (
          <li key={hit.eventId}>
            <Hit hit={hit} />
          </li>
        ))}
      </ul>
      {incomplete && <p class="quiet nothing">Not everything could be searched just now.</p>}
      {cursor && (
        <button type="button" onClick={() => void search(found.value, () => true)}>
          More
        </button>
      )}
    </section>
  );
}

function Hit({ hit }: { hit: SearchHit }) {
  const { naming, me } = useSession();
  const { text, from, to } = hit.snippet;
  const who = hit.senderId === me ? "You" : naming.value.name(hit.senderId);
  return (
    <a
      class="hit"
      href={`#${hit.conversationId}`}
      onClick={(event) => {
        event.preventDefault();
        jumpTo(hit.conversationId, hit.seq);
      }}
    >
      <span class="where" dir="auto">
        {plainName(naming.value.title(hit.conversationId))}
      </span>
      <time>{clock(hit.occurredAt)}</time>
      <span class="line" dir="auto">
        {who}: {text.slice(0, from)}
        <mark>{text.slice(from, to)}</mark>
        {text.slice(to)}
      </span>
    </a>
  );
}
