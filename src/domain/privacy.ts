import type { Privacy, Visibility } from "../protocol/states.ts";

type Wish = { [Of in keyof Privacy]?: Visibility | undefined };

const FEWER: readonly Visibility[] = ["everyone", "contacts", "nobody"];
const stricter = (a: Visibility, b: Visibility): Visibility => (FEWER.indexOf(a) > FEWER.indexOf(b) ? a : b);

/** [CT-9] What may be shown while a change is under way: what both the old and the new allow. */
export const whileChanging = (held: Privacy, wish: Wish): Privacy => ({
  lastSeen: stricter(held.lastSeen, wish.lastSeen ?? held.lastSeen),
  readReceipts: stricter(held.readReceipts, wish.readReceipts ?? held.readReceipts),
  conversations: stricter(held.conversations, wish.conversations ?? held.conversations),
  findable: stricter(held.findable, wish.findable ?? held.findable),
  picture: stricter(held.picture, wish.picture ?? held.picture),
});
