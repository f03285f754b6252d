import type { Receipt, Ticks, Visibility } from "../protocol/states.ts";
import type { RawReceipt } from "./receipts.ts";

export const shows = (to: Visibility, areContacts: boolean): boolean =>
  to === "everyone" || (to === "contacts" && areContacts);

/**
 * [CT-17] Whether a user lets somebody begin a conversation with them, or add them to a group. One that stands in their list goes on. Who
 * blocks whom is not asked, so that a block cannot be told from here. [BL-4]
 */
export const mayBegin = ({ lets, isContact, isListed }: { lets: Visibility; isContact: boolean; isListed: boolean }) =>
  isListed || shows(lets, isContact);

/** [PR-5] It is mutual: I see of others what I let them see of me. Contacts are so on both sides. */
export const mayShow = (theirs: Visibility, mine: Visibility, areContacts: boolean): boolean =>
  shows(theirs, areContacts) && shows(mine, areContacts);

/**
 * [PF-4] Whether somebody sees a picture that is shown so. I see mine; whom its owner blocks sees none, and is not told why. It is not mutual:
 * who has no picture sees those of others.
 */
export const seesPicture = (
  to: Visibility,
  { isMe, isContact, blocksMe }: { isMe: boolean; isContact: boolean; blocksMe: boolean },
): boolean => isMe || (!blocksMe && shows(to, isContact));

/** Who looks: their own choice, and who their contacts are. */
export type Viewer = { readReceipts: Visibility; isContact: (userId: string) => boolean };

/** [RC-8] A receipt as this viewer may see it: who hides their own reading does not see that of others. */
export function receiptSeen(viewer: Viewer, { contactsRead, ...receipt }: RawReceipt): Receipt {
  const contact = viewer.isContact(receipt.userId);
  const theirs = contact ? contactsRead : receipt.read;
  return { ...receipt, read: shows(viewer.readReceipts, contact) ? theirs : 0 };
}

/** In a direct conversation the other one is everybody else; in a group only what is shown to everyone counts. */
export function ticksSeen(viewer: Viewer, ticks: Ticks, peer: Receipt | undefined): Ticks {
  if (peer) return { ...ticks, delivered: peer.delivered, read: peer.read };
  return viewer.readReceipts === "everyone" ? ticks : { ...ticks, read: 0 };
}
