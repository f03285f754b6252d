import { signal } from "@preact/signals";
import type { ShownMessage } from "../shown.ts";

/** What the menu of a message asks of the field below: each wish is a new object. */
export const wish = signal<{ is: "reply" | "edit"; row: ShownMessage } | null>(null);
