import type { Hono } from "hono";
import { tryCall } from "../platform/calls.ts";
import type { AppEnv } from "../platform/http.ts";
import { problem } from "../platform/problem.ts";
import { upgradeFor } from "../platform/socket-caller.ts";
import { inboxOf } from "../platform/stubs.ts";
import { bearerOf, verifyAccessToken } from "../platform/tokens.ts";
import { CLOSE } from "../protocol/errors.ts";
import { refuse } from "../protocol/result.ts";
import { BEARER_SUBPROTOCOL, SUBPROTOCOL } from "../protocol/version.ts";

/** The live door. The token is verified by its signature alone; a revoked device is turned away by its own inbox. */
export function mountSocket(app: Hono<AppEnv>): void {
  app.get("/v1/socket", async (c) => {
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return problem(refuse("upgrade_required"));
    const offered = (c.req.header("sec-websocket-protocol") ?? "")
      .split(",")
      .map((p) => p.trim())
      .filter(Boolean);
    const subprotocol = offered.includes(SUBPROTOCOL);
    if (offered.length > 0 && !subprotocol) return problem(refuse("unsupported_version", `offer ${SUBPROTOCOL}`));
    const bearer = offered.find((p) => p.startsWith(BEARER_SUBPROTOCOL))?.slice(BEARER_SUBPROTOCOL.length);
    const token = bearer ?? bearerOf(c.req.header("authorization"));
    if (token === undefined) return problem(refuse("unauthenticated"));
    const caller = await verifyAccessToken(c.env, token, Date.now());
    if (!caller.ok) return caller.code === "token_expired" ? closedAsExpired(subprotocol) : problem(caller);
    const { userId } = caller.value;
    const answer = await tryCall(() => inboxOf(c.env, userId).fetch(upgradeFor({ ...caller.value, subprotocol })), 2);
    return answer.ok ? answer.value : problem(answer);
  });
}

/** A browser cannot read the status of a refused upgrade, and must be able to tell "refresh" from "try later": 4003 says it. */
function closedAsExpired(subprotocol: boolean): Response {
  const pair = new WebSocketPair();
  pair[1].accept();
  pair[1].close(CLOSE.token_expired.code, "token_expired"); // [SO-4]
  return new Response(null, {
    status: 101,
    webSocket: pair[0],
    headers: subprotocol ? { "sec-websocket-protocol": SUBPROTOCOL } : {},
  });
}
