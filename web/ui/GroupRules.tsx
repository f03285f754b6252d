import { useSignal } from "@preact/signals";
import type { ConversationId } from "../wire.ts";
import { useSession } from "./session-context.ts";
import { useAsked } from "./use-asked.ts";

const RULES = {
  sending: "Send messages",
  setting: "Edit the group, and how long messages stay",
  adding: "Bring people in",
} as const;

/** [GR-8] [IV-7] [GR-13] What a group's admins lay down: they change it, the others see what holds. */
export function GroupRules({ id }: { id: ConversationId }) {
  const session = useSession();
  const { problem, busy, asked } = useAsked();
  const naming = session.naming.value;
  const wanted = useSignal<Partial<ReturnType<typeof naming.rules>>>({});
  const rules = { ...naming.rules(id), ...wanted.value };
  const isAdmin = naming.isAdmin(id);
  const change = async (body: Partial<typeof rules>) => {
    wanted.value = body; // shown at once, and taken back when it is refused
    await asked(session.answered(session.chat(id).change(body)));
    wanted.value = {};
  };
  if (!isAdmin) return <WhatHolds rules={rules} />;
  return (
    <section id="rules" aria-labelledby="rules-title" inert={busy.value}>
      <h3 id="rules-title">Who may do what</h3>
      {(["sending", "setting", "adding"] as const).map((rule) => (
        <label key={rule} class="side-by-side">
          {RULES[rule]}
          <select
            value={rules[rule]}
            onChange={({ currentTarget: { value } }) =>
              void change({ [rule]: value === "admins" ? "admins" : "members" })
            }
          >
            <option value="members">All members</option>
            <option value="admins">Admins alone</option>
          </select>
        </label>
      ))}
      <label class="side-by-side">
        New members see
        <select
          value={rules.history}
          onChange={({ currentTarget: { value } }) => void change({ history: value === "all" ? "all" : "joined" })}
        >
          <option value="joined">New messages</option>
          <option value="all">All messages</option>
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={rules.approval}
          onChange={({ currentTarget }) => void change({ approval: currentTarget.checked })}
        />
        An admin lets in who comes by a link
      </label>
      <p class="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}

function WhatHolds({ rules }: { rules: ReturnType<ReturnType<typeof useSession>["naming"]["value"]["rules"]> }) {
  const lines = [
    rules.sending === "admins" && "Admins alone send messages.",
    rules.setting === "members" && "All members edit the group, and how long messages stay.",
    rules.adding === "members" && "All members bring people in.",
    rules.approval && "An admin lets in who comes by a link.",
    rules.history === "all" && "New members see all messages, also of before.",
  ].filter((line) => line !== false);
  if (lines.length === 0) return null;
  return (
    <section id="rules" aria-labelledby="rules-title">
      <h3 id="rules-title">What holds here</h3>
      <ul class="plain">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}
