import * as z from "zod";
import { UserId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { Presence } from "../states.ts";
import { Contact, ContactState, FoundPerson, Profile } from "./answers.ts";
import { door } from "./door.ts";
import { wholeNumber } from "./fields.ts";

/** Other people. */
export const peopleDoors = {
  findUser: door({
    method: "get",
    path: "/v1/users",
    summary: "Find a user by handle",
    access: "device",
    query: z.strictObject({ handle: z.string().min(1).max(LIMITS.handleMax) }),
    answers: { 200: Profile },
    refusals: ["not_found"],
  }),
  findPeople: door({
    method: "get",
    path: "/v1/users/search",
    summary:
      "People by handle or name: the whole handle first, then my contacts, then whose handle, then whose name begins so. What is shorter than 3 characters (2 in Chinese, Japanese or Korean) finds a whole handle and my contacts",
    access: "device",
    query: z.strictObject({
      q: z
        .string()
        .max(LIMITS.displayNameLength)
        .refine((q) => q.trim().length > 0, "must not be blank"),
    }),
    answers: { 200: z.object({ users: z.array(FoundPerson) }) },
    refusals: ["people_search_not_offered", "rate_limited"],
  }),
  user: door({
    method: "get",
    path: "/v1/users/{userId}",
    summary: "A user's public profile, and presence if they show it to me",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: z.object({ ...Profile.shape, presence: Presence.omit({ userId: true }).optional() }) },
    refusals: ["not_found"],
  }),
  contacts: door({
    method: "get",
    path: "/v1/contacts",
    summary:
      "My contacts, and who asks or is asked to be one: all of them; or what has changed since a version, a page at a time, oldest change first",
    access: "device",
    query: z
      .strictObject({
        since: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
        cursor: z.string().max(64).optional(),
      })
      .refine((q) => q.since === undefined || q.cursor === undefined, "either since or cursor"),
    answers: {
      200: z
        .object({
          contacts: z.array(Contact),
          removed: z.array(UserId).optional().meta({ description: "With `since`: who is none any more." }),
          version: z.int().min(0).meta({
            description:
              "Ask for what changes from here on with `since`. A new name of somebody is not a change of contacts.",
          }),
          reset: z
            .literal(true)
            .optional()
            .meta({ description: "`since` is too old or unknown: forget what you have; here all begins anew." }),
          cursor: z
            .string()
            .optional()
            .meta({ description: "There is more: ask again with it in the place of `since`." }),
        })
        .meta({ id: "Contacts" }),
    },
    refusals: [],
  }),
  putContact: door({
    method: "put",
    path: "/v1/contacts/{userId}",
    summary: "Ask somebody to be a contact, or accept when they have asked",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 200: z.object({ userId: UserId, state: ContactState }) },
    refusals: ["not_found", "forbidden", "too_many_contacts"],
  }),
  removeContact: door({
    method: "delete",
    path: "/v1/contacts/{userId}",
    summary: "End being contacts, take back or decline a request",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 204: null },
    refusals: [],
  }),
  blocks: door({
    method: "get",
    path: "/v1/blocks",
    summary: "Whom I block",
    access: "device",
    answers: { 200: z.object({ blocks: z.array(Profile) }) },
    refusals: [],
  }),
  block: door({
    method: "put",
    path: "/v1/blocks/{userId}",
    summary:
      "Block somebody: what they write to me alone is accepted from them and never reaches me, also not later; they are not told. Groups are as before",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 204: null },
    refusals: ["not_found", "too_many_blocks"],
  }),
  unblock: door({
    method: "delete",
    path: "/v1/blocks/{userId}",
    summary: "Block somebody no more: what they write from now on reaches me",
    access: "device",
    params: z.strictObject({ userId: UserId }),
    answers: { 204: null },
    refusals: [],
  }),
} as const;
