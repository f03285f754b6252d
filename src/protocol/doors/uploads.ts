import * as z from "zod";
import { LIMITS } from "../limits.ts";
import { PartedUpload } from "./answers.ts";
import { door } from "./door.ts";
import { ofMedia, PartTold } from "./fields.ts";

/** A file that is uploaded in parts, from whichever process of its maker's. */
export const uploadsDoors = {
  upload: door({
    method: "get",
    path: "/v1/media/{mediaId}/upload",
    summary: "Which parts are there, and fresh URLs for the next that are not",
    access: "device",
    params: ofMedia,
    answers: { 200: PartedUpload },
    refusals: ["not_found", "not_member", "media_not_offered"],
  }),
  tellParts: door({
    method: "post",
    path: "/v1/media/{mediaId}/upload/parts",
    summary: "These parts are there; answers like the door above. Told twice, the later etag counts",
    access: "device",
    params: ofMedia,
    body: z.strictObject({ parts: z.array(PartTold).min(1).max(LIMITS.partsToldAtOnce) }),
    answers: { 200: PartedUpload },
    refusals: ["not_found", "not_member", "media_not_offered"],
  }),
  completeUpload: door({
    method: "post",
    path: "/v1/media/{mediaId}/upload/complete",
    summary:
      "Put the parts together. `media_not_uploaded`: some are missing, or were not those that the store has: ask again",
    access: "device",
    params: ofMedia,
    answers: { 204: null },
    refusals: ["not_found", "not_member", "media_not_offered", "media_not_uploaded"],
  }),
  dropUpload: door({
    method: "delete",
    path: "/v1/media/{mediaId}/upload",
    summary: "Give up media that no message has named, with what of it was uploaded; may be repeated",
    access: "device",
    params: ofMedia,
    answers: { 204: null },
    refusals: ["media_not_offered"],
  }),
} as const;
