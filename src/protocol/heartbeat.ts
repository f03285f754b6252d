/** Sent and answered by the runtime itself, without waking the inbox. The only frames that are not JSON. */
export const PING = "ping";
export const PONG = "pong";
