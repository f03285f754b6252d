import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { lineOf } from "../../src/sdk/drawing.ts";
import { clock } from "../clock.ts";
import { jumpTo } from "../model/route.ts";
import { close } from "../model/shows.ts";
import type { StarredMessage } from "../model/starring.ts";
import { star, starsSettled } from "../model/starring.ts";
import { refusalText } from "../phrases.ts";
import { plainName } from "../words.ts";
import { Dialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { IconButton } from "./IconButton.tsx";
import { useSession } from "./session-context.ts";

type Found = {
  stars: readonly StarredMessage[];
  cursor: string | null;
  incomplete: boolean;
  problem: string;
  busy: boolean;
};
const NOTHING: Found = { stars: [], cursor: null, incomplete: false, problem: "", busy: true };

/** [AP-24] The messages that I have starred, in all of my conversations, the last one first; each leads to where it was said. */
export function Stars() {
  const session = useSession();
  const found = useSignal(NOTHING);
  const load = async (before: Found) => {
    await starsSettled();
    const answer = await session.answered(
      session.client.stars(before.cursor === null ? {} : { cursor: before.cursor }),
    );
    if (!answer.ok) found.value = { ...before, busy: false, problem: refusalText(answer.code) };
    else {
      const { stars, cursor = null, incomplete } = answer.value;
      found.value = { stars: [...before.stars, ...stars], cursor, incomplete, problem: "", busy: false };
    }
  };
  useEffect(() => void load(NOTHING), []);
  const drop = async ({ conversationId, seq }: StarredMessage) => {
    if (!(await star(session, conversationId, seq, false))) return;
    const stars = found.value.stars.filter((each) => each.conversationId !== conversationId || each.seq !== seq);
    found.value = { ...found.value, stars };
  };
  const { stars, cursor, incomplete, problem, busy } = found.value;
  return (
    <Dialog id="stars" title="Starred messages">
      {busy && <p class="quiet">Loading …</p>}
      {!busy && stars.length === 0 && !problem && (
        <div class="empty">
          <Icon name="star" />
          <p class="quiet">Nothing is starred yet. Open the menu of a message and star it, and you find it here.</p>
        </div>
      )}
      <ul class="plain starred" aria-label="Starred messages">
        {stars.map((each) => (
          <li key={`${each.conversationId}.${each.seq}`}>
            <Starred of={each} />
            <IconButton icon="star" class="on" label="Take the star off" onClick={() => void drop(each)} />
          </li>
        ))}
      </ul>
      {incomplete && <p class="quiet">Some conversations did not answer just now.</p>}
      {cursor && (
        <button type="button" onClick={() => void load(found.value)}>
          More
        </button>
      )}
      <p class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}

function Starred({ of: { conversationId, seq, event, edit } }: { of: StarredMessage }) {
  const { naming, me } = useSession();
  const who = event.senderId === me ? "You" : naming.value.name(event.senderId);
  const said = event.content.type === "gone" ? "" : lineOf(event.content);
  const caption = edit?.content.type === "caption" ? (edit.content.caption ?? "") : said;
  const words = edit?.content.type === "text" ? edit.content.text : caption || said;
  return (
    <button
      type="button"
      class="hit"
      onClick={() => {
        close();
        jumpTo(conversationId, seq);
      }}
    >
      <span class="where" dir="auto">
        {plainName(naming.value.title(conversationId))}
      </span>
      <time>{clock(event.occurredAt)}</time>
      <span class="line" dir="auto">
        {who}: {words.slice(0, 300)}
      </span>
    </button>
  );
}
