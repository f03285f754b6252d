import type { Role } from "../protocol/events.ts";
import type { Allowed, GroupRules } from "../protocol/group-rules.ts";

/** What holds in a group whose admins have said nothing. */
export const FIRST_RULES: GroupRules = {
  sending: "members",
  setting: "admins",
  adding: "admins",
  approval: false,
  history: "joined",
};

/** What has been said, and the first rules for the rest. */
export const rulesOf = (said: { readonly [K in keyof GroupRules]?: GroupRules[K] | undefined }): GroupRules => ({
  sending: said.sending ?? FIRST_RULES.sending,
  setting: said.setting ?? FIRST_RULES.setting,
  adding: said.adding ?? FIRST_RULES.adding,
  approval: said.approval ?? FIRST_RULES.approval,
  history: said.history ?? FIRST_RULES.history,
});

/** [GR-8] Admins always may. */
export const isAllowed = ({ role }: { role: Role }, who: Allowed): boolean => who === "members" || role === "admin";
