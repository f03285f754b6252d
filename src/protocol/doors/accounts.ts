import * as z from "zod";
import { ExportAfter, ExportLine } from "../export.ts";
import { DeviceId, IdempotencyKey, MediaId } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { Visibility } from "../states.ts";
import { Device, Erasure, Me, Session, TokenPair } from "./answers.ts";
import { door } from "./door.ts";
import { DeviceName, DisplayName, Handle, Password, SignedDevice, Token, TokenPlace } from "./fields.ts";

/** Accounts and devices. */
export const accountsDoors = {
  signUp: door({
    method: "post",
    path: "/v1/auth/sign-up",
    summary: "Make an account and its first device",
    access: "anyone",
    body: z.strictObject({
      handle: Handle,
      password: Password,
      displayName: DisplayName,
      device: z.strictObject({ name: DeviceName }),
      refreshTokenIn: TokenPlace.optional(),
    }),
    answers: { 201: Session },
    refusals: ["handle_taken", "rate_limited"],
  }),
  signIn: door({
    method: "post",
    path: "/v1/auth/sign-in",
    summary: "Sign in; without a device id this is a new device",
    access: "anyone",
    body: z.strictObject({
      handle: z.string().min(1).max(LIMITS.handleMax),
      password: z.string().min(1).max(LIMITS.passwordMax),
      device: SignedDevice,
      refreshTokenIn: TokenPlace.optional(),
    }),
    answers: { 200: Session },
    refusals: ["invalid_credentials", "too_many_devices", "rate_limited"],
  }),
  exchange: door({
    method: "post",
    path: "/v1/auth/exchange",
    summary: "Trade the token of the deployer's own issuer for a device",
    access: "anyone",
    body: z.strictObject({ token: Token, device: SignedDevice, refreshTokenIn: TokenPlace.optional() }),
    answers: { 200: Session, 201: Session },
    refusals: ["invalid_credentials", "not_found", "too_many_devices", "rate_limited"],
  }),
  refresh: door({
    method: "post",
    path: "/v1/auth/refresh",
    summary:
      "Trade a refresh token, or the one in the cookie of this device, for a new pair; each works once. A trade whose answer was lost is asked for again with the same key",
    access: "anyone",
    body: z.union([
      z.strictObject({
        refreshToken: Token,
        refreshTokenIn: TokenPlace.optional(),
        idempotencyKey: IdempotencyKey.optional(),
      }),
      z.strictObject({ deviceId: DeviceId, idempotencyKey: IdempotencyKey.optional() }),
    ]),
    answers: { 200: TokenPair },
    refusals: ["refresh_reused", "device_revoked", "token_expired", "rate_limited"],
  }),
  signOut: door({
    method: "post",
    path: "/v1/auth/sign-out",
    summary: "Sign this device out; its sockets close with 4001",
    access: "device",
    answers: { 204: null },
    refusals: [],
  }),
  me: door({
    method: "get",
    path: "/v1/me",
    summary: "My profile",
    access: "device",
    answers: { 200: Me },
    refusals: [],
  }),
  changeMe: door({
    method: "patch",
    path: "/v1/me",
    summary: "Change my profile, picture or privacy",
    access: "device",
    body: z.strictObject({
      displayName: DisplayName.optional(),
      avatarMediaId: MediaId.nullable()
        .optional()
        .meta({ description: 'My picture, uploaded `for: "me"` and of no use to anything else; null: none.' }),
      privacy: z
        .strictObject({
          lastSeen: Visibility.optional(),
          readReceipts: Visibility.optional(),
          conversations: Visibility.optional(),
          findable: Visibility.optional(),
          picture: Visibility.optional(),
        })
        .optional(),
    }),
    answers: { 200: Me },
    refusals: [],
  }),
  exportMe: door({
    method: "get",
    path: "/v1/me/export",
    summary:
      "All that is mine, one JSON object a line: whole only if its last line is `end`. With `after`, what follows that place in an earlier one",
    access: "device",
    query: z.strictObject({ after: ExportAfter.optional() }),
    answers: { 200: ExportLine },
    mediaType: "application/x-ndjson",
    refusals: ["rate_limited"],
  }),
  eraseMe: door({
    method: "delete",
    path: "/v1/me",
    summary:
      "Erase me, for ever: my account, what I wrote in every conversation, my media and all else. With the password, or where an outside issuer vouches for me, with a fresh token of it",
    access: "device",
    body: z
      .strictObject({ password: z.string().min(1).max(LIMITS.passwordMax).optional(), token: Token.optional() })
      .refine((proof) => (proof.password === undefined) !== (proof.token === undefined), "either password or token"),
    answers: { 202: Erasure },
    refusals: ["invalid_credentials", "rate_limited"],
  }),
  devices: door({
    method: "get",
    path: "/v1/me/devices",
    summary: "My signed-in devices",
    access: "device",
    answers: { 200: z.object({ devices: z.array(Device) }) },
    refusals: [],
  }),
  revokeDevice: door({
    method: "delete",
    path: "/v1/me/devices/{deviceId}",
    summary: "Sign one of my devices out; its sockets close with 4001 at once",
    access: "device",
    params: z.strictObject({ deviceId: DeviceId }),
    answers: { 204: null },
    refusals: ["not_found"],
  }),
} as const;
