import * as z from "zod";

/** Whether all members may do something in a group, or its admins alone. */
export const Allowed = z.enum(["members", "admins"]);
export type Allowed = z.infer<typeof Allowed>;

/** What the admins of a group lay down for it. Told to its members. */
export const GroupRules = z.object({
  sending: Allowed.meta({ description: "Who may send messages and edit them: `members`, or `admins` alone." }),
  setting: Allowed.meta({ description: "Who may change title, picture and how long messages are kept." }),
  adding: Allowed.meta({ description: "Who may bring people in: add them, and make invites." }),
  approval: z.boolean().meta({ description: "Whether who comes by an invite waits for an admin to let them in." }),
  history: z
    .enum(["joined", "all"])
    .meta({ description: "What newcomers see: what follows their joining, or all that there is." }),
});
export type GroupRules = z.infer<typeof GroupRules>;
