import type { Env } from "../../../src/platform/env.ts";
import type { Session } from "../../../src/protocol/http.ts";
import type { Visibility } from "../../../src/protocol/states.ts";
import { type Answered, ask } from "./accounts.ts";

export const hide = ({ accessToken: token }: Session, lastSeen: Visibility, changed: Partial<Env> = {}) =>
  ask("PATCH", "/v1/me", { token, body: { privacy: { lastSeen } }, env: changed });

export const profileFor = (me: Session, userId: string, changed: Partial<Env> = {}): Promise<Answered> =>
  ask("GET", `/v1/users/${userId}`, { token: me.accessToken, env: changed });

/** Whether the inbox of `them` lets the viewer see when they were online. */
export const isShown = async (viewer: Session, { user }: Session): Promise<boolean> =>
  (await profileFor(viewer, user.userId)).json.presence !== undefined;
