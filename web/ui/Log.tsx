import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { heldOf } from "../../src/sdk/drawing.ts";
import { Kept } from "../model/kept.ts";
import { jump } from "../model/route.ts";
import { tell } from "../model/shows.ts";
import { sentence } from "../phrases.ts";
import { type Row, rowsOf, unreadOf } from "../rows.ts";
import { type Shown, shownRows } from "../shown.ts";
import type { ConversationId } from "../wire.ts";
import { plainName } from "../words.ts";
import { Icon } from "./Icon.tsx";
import { RowItem } from "./Row.tsx";
import { rove } from "./rove.ts";
import { Scroll } from "./scroll.ts";
import { useSession } from "./session-context.ts";
import { useWriting } from "./writing-context.ts";

/** Rows shown at first, and so many more whenever the first of them comes into sight. */
const SHOWN = 100;

/** What was said, the newest in sight until somebody scrolls up. */
export function Log({ id }: { id: ConversationId }) {
  const session = useSession();
  const { sentCount } = useWriting();
  const looking = useComputed(() => ({
    me: session.me,
    now: session.now.value,
    isAdmin: session.naming.value.isAdmin(id),
  }));
  const rows = useComputed(() => rowsOf(session.back.stateOf(id), id, looking.value));
  const unread = useComputed(() => session.unread(id, unreadOf(heldOf(session.state.value, id), looking.value)));
  const from = useSignal<{ key: string; count: number } | null>(useMemo(() => firstUnread(rows.peek(), readOf()), []));
  const count = useSignal(SHOWN + (from.peek() ? rows.peek().length - indexOf(rows.peek(), from.peek()?.key) : 0));
  const log = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const scroll = useMemo(() => new Scroll(), []);
  const kept = useMemo(() => new Kept<Shown>(), []);
  function readOf(): number {
    return heldOf(session.state.peek(), id).read;
  }
  const shown = kept.of(
    shownRows(rows.value, count.value, {
      me: session.me,
      isGroup: session.naming.value.isGroup(id),
      now: session.now.value,
      unreadFrom: from.value,
      starred: session.told.starsOf(id),
      nameOf: (userId) => session.naming.value.name(userId),
      handleOf: (userId) => session.naming.value.handle(userId),
      noteOf: ({ event, also }) => plainName(sentence(session.naming.value.note(event, also))),
    }),
    ({ key }) => key,
  );

  /** [CL-26] Read is what a visible page shows on the screen, and nothing else. */
  const noteRead = () => {
    if (!session.visible.peek()) return;
    const seq = scroll.lastSeen();
    if (seq > readOf()) session.read(id, seq);
  };
  useEffect(() => {
    if (!log.current || !list.current) return;
    scroll.begin(log.current, list.current, noteRead);
    if (from.peek()) scroll.showUnread();
    return () => scroll.end();
  }, []);
  useLayoutEffect(() => {
    scroll.settle();
    if (list.current) rove(list.current);
  });
  useEffect(() => noteRead());
  // Whoever comes back to the page finds what came meanwhile marked.
  useSignalEffect(() => {
    if (session.visible.value) noteRead();
    else from.value = null;
  });
  useEffect(() => {
    if (unread.value > 0 && !session.visible.value) from.value ??= firstUnread(rows.peek(), readOf());
  }, [unread.value, session.visible.value]);
  useEffect(() => {
    if (sentCount.value === 0) return;
    from.value = null;
    toNewest();
  }, [sentCount.value]);
  useEffect(() => {
    const wanted = jump.value;
    if (wanted?.id !== id) return;
    jump.value = null;
    void session.back.to(id, wanted.seq).then(() => {
      const key = rows.peek().find((row) => row.seq === wanted.seq)?.key;
      if (key === undefined) tell("That message is not here any more");
      count.value = Math.max(count.peek(), rows.peek().length - indexOf(rows.peek(), key) + SHOWN / 2);
      scroll.isInPast = past.peek() !== null;
      requestAnimationFrame(() => requestAnimationFrame(() => scroll.show(wanted.seq)));
    });
  }, [jump.value]);
  const past = useComputed(() => session.back.of(id));
  const hasOlder = useComputed(() => past.value?.hasOlder ?? session.hasOlder(id));
  const fetching = useRef(false);
  useEffect(() => () => session.back.leave(), []);
  /** From wherever somebody looks back to what was said last. */
  const toNewest = () => {
    if (past.peek()) count.value = SHOWN;
    session.back.leave();
    scroll.isInPast = false;
    scroll.follow();
  };
  // [AP-40] The window was ended from elsewhere: the row that was looked at is gone with it, and whoever is at the end stays there again.
  useEffect(() => {
    if (!past.value && scroll.isInPast) toNewest();
  }, [past.value]);
  /** [CL-59] Down to the present: there what is kept is shown again, with all that was fetched before it. */
  const later = async () => {
    if (fetching.current) return;
    fetching.current = true;
    await session.back.newer(id);
    count.value = Math.max(count.peek(), rows.peek().length);
    scroll.isInPast = past.peek() !== null;
    fetching.current = false;
  };
  /** [CL-39] What is kept here first, then what the server has. */
  const more = async () => {
    if (rows.peek().length > count.peek() || fetching.current) {
      count.value += SHOWN;
      return;
    }
    fetching.current = true;
    if (past.peek()) {
      await session.back.older(id);
      count.value = Math.max(count.peek(), rows.peek().length);
    } else if (await session.older(id)) count.value += SHOWN;
    fetching.current = false;
  };

  return (
    <div id="log-frame">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll */}
      <div id="log" ref={log} role="log" aria-live="off" aria-label="Messages" tabIndex={0}>
        {(rows.value.length > count.value || hasOlder.value) && <Edge more={more} at="earlier" />}
        <ol id="rows" class={session.naming.value.isGroup(id) ? "plain faces" : "plain"} ref={list}>
          {shown.map((row) => (
            <RowItem key={row.key} row={row} />
          ))}
        </ol>
        {past.value && <Edge more={later} at="later" />}
      </div>
      {rows.value.length === 0 && !hasOlder.value && !past.value && session.connection.value.is === "connected" && (
        <p id="log-empty" class="quiet">
          No messages yet
        </p>
      )}
      {(scroll.away.value || past.value) && (
        <button type="button" id="newest" onClick={toNewest} aria-label={newestLabel(unread.value)}>
          <Icon name="down" />
          {unread.value > 0 && <span class="unread">{unread}</span>}
        </button>
      )}
    </div>
  );
}

const newestLabel = (unread: number): string =>
  unread > 0 ? `Go to the newest message, ${unread} unread` : "Go to the newest message";
const indexOf = (rows: readonly Row[], key: string | undefined): number =>
  Math.max(
    0,
    rows.findIndex((row) => row.key === key),
  );

function firstUnread(rows: readonly Row[], read: number): { key: string; count: number } | null {
  const unread = rows.filter((row) => row.is === "message" && !row.isMine && !row.gone && (row.seq ?? 0) > read);
  return unread[0] ? { key: unread[0].key, count: unread.length } : null;
}

const EDGE = { earlier: "400px 0px 0px", later: "0px 0px 400px" } as const;

/** Brings more messages when it comes into sight, or is pressed. */
function Edge({ more, at }: { more: () => void; at: keyof typeof EDGE }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const root = button.current?.closest("#log") ?? null; // a margin counts only around the root itself
    const sight = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), {
      root,
      rootMargin: EDGE[at],
    });
    if (button.current) sight.observe(button.current);
    return () => sight.disconnect();
  });
  return (
    <button type="button" id={at} ref={button} onClick={more}>
      Show {at} messages
    </button>
  );
}
