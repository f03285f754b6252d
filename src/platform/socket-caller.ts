import { DeviceId, UserId } from "../protocol/ids.ts";
import type { Caller } from "./tokens.ts";

export type SocketCaller = Caller & { subprotocol: boolean };
const HEADER = "x-edgewise-caller";

/** The upgrade as the inbox gets it: whose it is, as the Worker verified it, and nothing else that the client sent. */
export function upgradeFor(caller: SocketCaller): Request {
  const headers = { upgrade: "websocket", [HEADER]: JSON.stringify(caller) };
  return new Request("https://inbox/socket", { headers });
}

/** Only the Worker reaches an inbox, so the header is ours. */
export function readCaller(request: Request): SocketCaller {
  const { userId, deviceId, expiresAt, subprotocol } = JSON.parse(request.headers.get(HEADER) ?? "null");
  return {
    userId: UserId.parse(userId),
    deviceId: DeviceId.parse(deviceId),
    expiresAt: Number(expiresAt),
    subprotocol: subprotocol === true,
  };
}
