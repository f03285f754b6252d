import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { LIMITS } from "../../src/protocol/limits.ts";
import { blocks, loadAcquaintance } from "../model/acquaintance.ts";
import { type Reported, Reporting } from "../model/reporting.ts";
import { close, tell } from "../model/shows.ts";
import { REASONS } from "../phrases.ts";
import { Cancel, Dialog } from "./Dialog.tsx";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

type Reason = keyof typeof REASONS;
const reasons = Object.keys(REASONS) as Reason[];
const WORDS = {
  rate_limited: "You have reported a lot today: try again tomorrow",
  idempotency_conflict: "This has been reported already",
};

/** [AP-26] Tells whoever runs the server of a message or a person; who is reported does not learn of it. */
export function Report({ reported }: { reported: Reported }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const reporting = useMemo(() => new Reporting(session.client, reported), []);
  const reason = useSignal<Reason | null>(null);
  const { userId } = reported;
  const name = session.naming.value.name(userId);
  const mayBlock = !blocks.value.some((blocked) => blocked.userId === userId);
  const send = async (form: HTMLFormElement) => {
    const fields = new FormData(form);
    if (!reason.value) return;
    if (!(await asked(reporting.send(reason.value, String(fields.get("note")).trim()), WORDS))) return;
    const wantsBlock = fields.get("block") === "on";
    if (wantsBlock && !(await asked(session.call("block", { params: { userId } })))) return;
    if (wantsBlock) await loadAcquaintance(session);
    close();
    tell(wantsBlock ? `Reported, and ${name} is blocked` : "Reported. Thank you");
  };
  return (
    <Dialog id="report" title={reported.seq === undefined ? `Report ${name}` : "Report this message"}>
      <p class="quiet">
        {reported.seq === undefined
          ? `Whoever runs this server looks at it. ${name} does not learn of it.`
          : `Whoever runs this server gets the message with a few before it. ${name} does not learn of it.`}
      </p>
      <form
        inert={busy.value}
        onSubmit={(event) => {
          event.preventDefault();
          void send(event.currentTarget);
        }}
      >
        <fieldset>
          <legend>What is wrong?</legend>
          {reasons.map((each) => (
            <label key={each} class="check">
              <input type="radio" name="reason" required value={each} onChange={() => (reason.value = each)} />
              {REASONS[each]}
            </label>
          ))}
        </fieldset>
        <label>
          What should they know? (may stay empty)
          <textarea name="note" rows={2} maxLength={LIMITS.reportNoteLength} dir="auto" />
        </label>
        {mayBlock && (
          <label class="check">
            <input type="checkbox" name="block" />
            Block {name} as well
          </label>
        )}
        <p class="problem" role="alert">
          {problem}
        </p>
        <div class="row">
          <Cancel />
          <button type="submit" class="main danger">
            Report
          </button>
        </div>
      </form>
    </Dialog>
  );
}
