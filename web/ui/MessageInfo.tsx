import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { heldOf, timelineOf, wordsOf } from "../../src/sdk/drawing.ts";
import { moment } from "../clock.ts";
import { refusalText } from "../phrases.ts";
import { countsText, receiptGroups, traceLines } from "../way.ts";
import type { ConversationId, EventReceipts, Trace } from "../wire.ts";
import { Dialog } from "./Dialog.tsx";
import { useSession } from "./session-context.ts";

/** [CL-38] What is known of the way of one of the person's own messages: who has it, since when, and why others have not. */
export function MessageInfo({ id, seq }: { id: ConversationId; seq: number }) {
  const session = useSession();
  const receipts = useSignal<EventReceipts | null>(null);
  const trace = useSignal<Trace | null>(null);
  const wantsTrace = useSignal(false);
  const problem = useSignal("");
  // Asked again when the ticks have moved.
  const asOf = useComputed(() => JSON.stringify(heldOf(session.state.value, id).ticks)).value;
  useEffect(() => {
    let isShown = true;
    const load = async () => {
      const chat = session.chat(id);
      const [told, traced] = await Promise.all([
        session.answered(chat.receipts(seq)),
        wantsTrace.value ? session.answered(chat.trace(seq)) : null,
      ]);
      if (!isShown) return;
      if (told.ok) receipts.value = told.value;
      if (traced?.ok) trace.value = traced.value;
      problem.value = !told.ok ? refusalText(told.code) : traced && !traced.ok ? refusalText(traced.code) : "";
    };
    void load();
    return () => {
      isShown = false;
    };
  }, [asOf, wantsTrace.value]);
  return (
    <Dialog id="info" title="Message info">
      <Message id={id} seq={seq} />
      <p id="info-counts">{receipts.value && countsText(receipts.value)}</p>
      {receipts.value && <Groups receipts={receipts.value} />}
      <details id="info-trace" onToggle={({ currentTarget }) => (wantsTrace.value = currentTarget.open)}>
        <summary>How it came to each of them</summary>
        <ul id="info-lines" class="plain">
          {trace.value && <TraceItems trace={trace.value} />}
        </ul>
      </details>
      <p id="info-problem" class="problem" role="alert">
        {problem}
      </p>
    </Dialog>
  );
}

function Message({ id, seq }: { id: ConversationId; seq: number }) {
  const { back, me } = useSession();
  const lines = timelineOf(heldOf(back.stateOf(id), id).events, { me, wishes: [], now: Date.now() });
  const line = lines.find(({ event }) => event.seq === seq);
  return (
    <>
      <blockquote>
        <p id="info-text" dir="auto">
          {line && wordsOf(line)}
        </p>
      </blockquote>
      {line && (
        <p id="info-sent" class="quiet">
          Sent {moment(line.event.occurredAt, Date.now())}
        </p>
      )}
    </>
  );
}

function Groups({ receipts }: { receipts: EventReceipts }) {
  const { naming } = useSession();
  return (
    <div id="info-groups">
      {receiptGroups(receipts).map(({ title, people }) => (
        <section key={title}>
          <h3>{title}</h3>
          <ul class="plain">
            {people.map(({ userId, at }) => (
              <li key={userId}>
                <span>{naming.value.name(userId)}</span>
                {at !== null && <time>{moment(at, Date.now())}</time>}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function TraceItems({ trace }: { trace: Trace }) {
  const { naming } = useSession();
  return (
    <>
      {traceLines(trace).map(({ userId, state, steps }) => (
        <li key={userId ?? "server"}>
          <p>
            <strong>{userId ? naming.value.name(userId) : "The server"}</strong> {state}
          </p>
          {steps.map((step) => (
            <p key={step} class="quiet">
              {step}
            </p>
          ))}
        </li>
      ))}
    </>
  );
}
