import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { hitsInside } from "../model/finding.ts";
import { jumpTo } from "../model/route.ts";
import type { ConversationId } from "../wire.ts";
import { IconButton } from "./IconButton.tsx";
import { markWords } from "./mark-words.ts";
import { useSession } from "./session-context.ts";

/** Asked only when the person pauses. Ms. */
const PAUSE_MS = 250;
type Found = { words: string; seqs: readonly number[]; hasMore: boolean; problem: string };
const NOTHING: Found = { words: "", seqs: [], hasMore: false, problem: "" };

/** [AP-27] Searches the open conversation; the arrows lead to what was said before and after. */
export function FindInside({ id, end }: { id: ConversationId; end: () => void }) {
  const session = useSession();
  const field = useRef<HTMLInputElement>(null);
  const words = useSignal("");
  const found = useSignal(NOTHING);
  const at = useSignal(0);
  const wanted = words.value.trim();
  const go = (to: number) => {
    const seq = found.value.seqs[to];
    if (seq === undefined) return;
    at.value = to;
    jumpTo(id, seq);
  };
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    const rows = document.querySelector("#rows");
    return wanted === "" || !rows ? undefined : markWords(rows, wanted);
  }, [wanted]);
  useEffect(() => {
    found.value = NOTHING;
    if (wanted === "") return;
    let isWanted = true;
    const timer = setTimeout(
      () =>
        void hitsInside(session, id, wanted).then((answer) => {
          if (!isWanted) return;
          found.value = { words: wanted, ...answer };
          go(0);
        }),
      PAUSE_MS,
    );
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [wanted]);
  const { seqs, hasMore, problem } = found.value;
  const isAnswered = wanted !== "" && found.value.words === wanted;
  const count = `${seqs.length}${hasMore ? "+" : ""}`;
  const said = problem || (seqs.length > 0 ? `${at.value + 1} of ${count}` : isAnswered ? "Not found" : "");
  return (
    <search id="find-inside">
      <input
        ref={field}
        type="search"
        aria-label="Search in this conversation"
        placeholder="Search in this conversation"
        autocomplete="off"
        maxLength={200}
        value={words}
        onInput={({ currentTarget }) => (words.value = currentTarget.value)}
        onKeyDown={(event) => {
          const step = { Enter: event.shiftKey ? -1 : 1, ArrowUp: 1, ArrowDown: -1 }[event.key];
          if (event.key === "Escape") end();
          if (step !== undefined) go(at.value + step);
          if (step !== undefined || event.key === "Escape") event.preventDefault();
        }}
      />
      <span class="quiet" role="status">
        {said}
      </span>
      <IconButton icon="up" label="Earlier" disabled={at.value >= seqs.length - 1} onClick={() => go(at.value + 1)} />
      <IconButton icon="down" label="Later" disabled={at.value === 0} onClick={() => go(at.value - 1)} />
      <IconButton icon="close" label="End the search" onClick={end} />
    </search>
  );
}
