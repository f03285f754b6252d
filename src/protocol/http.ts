import { accountsDoors } from "./doors/accounts.ts";
import { conversationsDoors } from "./doors/conversations.ts";
import type { Door } from "./doors/door.ts";
import { eventsDoors } from "./doors/events.ts";
import { peopleDoors } from "./doors/people.ts";
import { reportsDoors } from "./doors/reports.ts";
import { systemDoors } from "./doors/system.ts";
import { uploadsDoors } from "./doors/uploads.ts";

export * from "./doors/answers.ts";
export type { Door } from "./doors/door.ts";
export { type Report, ReportReason, type ReportWish } from "./doors/reports.ts";

/** Every door, in the order of the documents. */
export const DOORS = {
  ...accountsDoors,
  ...peopleDoors,
  ...conversationsDoors,
  ...eventsDoors,
  ...uploadsDoors,
  ...reportsDoors,
  ...systemDoors,
} as const satisfies Record<string, Door>;
export type DoorName = keyof typeof DOORS;
