import { CLOSE } from "../errors.ts";
import { ClientFrame, PING, PONG, ServerFrame } from "../frames.ts";
import { LIMITS } from "../limits.ts";
import { BEARER_SUBPROTOCOL, PROTOCOL_VERSION, SUBPROTOCOL } from "../version.ts";
import { CLIENT_FRAMES, clientFrames, SERVER_FRAMES, serverFrames } from "./frames.ts";
import { components, type Json, type JsonObject } from "./schemas.ts";

export const SOCKET_PATH = "/v1/socket";
export const ABOUT_SOCKET = `One socket a device: a newer one replaces the older when it says hello. Offer the subprotocols \`${SUBPROTOCOL}\` and \
\`${BEARER_SUBPROTOCOL}<accessToken>\`, or send the token in the Authorization header. Frames are JSON objects with a \`type\`, at most \
${LIMITS.frameBytes} bytes; a client frame with an \`id\` gets exactly one answer with that \`id\`. The text frame \`${PING}\` is answered \
\`${PONG}\`. Unknown fields in a client frame are refused, unknown fields in a server frame must be ignored.`;

/** The AsyncAPI 3.0 document of the socket, seen from the server: it receives client frames and sends server frames. */
export function asyncapi(): JsonObject {
  const named = components([ClientFrame], [ServerFrame]);
  const message = (type: string, summary: string, payload: JsonObject) => ({
    name: type,
    title: type,
    summary,
    payload,
  });
  const plain = (text: string) => ({ name: text, contentType: "text/plain", payload: { type: "string", const: text } });
  const asked = clientFrames.map(([type, schema]) => {
    return [inbound(type), message(type, CLIENT_FRAMES[type].summary, named.request(schema))] as const;
  });
  const told = serverFrames.map(([type, schema]) => {
    return [outbound(type), message(type, SERVER_FRAMES[type], named.answer(schema))] as const;
  });
  const messages = Object.fromEntries([...asked, ...told, ["ping", plain(PING)], ["pong", plain(PONG)]]);
  return {
    asyncapi: "3.0.0",
    info: { title: "Edgewise socket", version: String(PROTOCOL_VERSION), description: ABOUT_SOCKET },
    defaultContentType: "application/json",
    servers: SERVERS,
    channels: {
      socket: {
        address: SOCKET_PATH,
        messages: Object.fromEntries(Object.keys(messages).map((key) => [key, ref("components/messages", key)])),
        bindings: { ws: HANDSHAKE },
        "x-close-codes": closeCodes(),
      },
    },
    operations: operations(),
    components: { messages, schemas: named.schemas, securitySchemes: SECURITY },
  };
}

/** `receipt` and `error` are words of both directions, or may become so: keys say the direction. */
const inbound = (type: string) => `client.${type}`;
const outbound = (type: string) => `server.${type}`;
const ref = (where: string, key: string): JsonObject => ({ $ref: `#/${where}/${key}` });
const onSocket = (...keys: string[]): Json[] => keys.map((key) => ref("channels/socket/messages", key));

function operations(): JsonObject {
  const socket = { channel: ref("channels", "socket") };
  const asked = Object.entries(CLIENT_FRAMES).map(([type, { summary, answer }]) => {
    const answers = [answer ?? [], "error" as const].flat().map(outbound);
    const reply = { ...socket, messages: onSocket(...answers) };
    return [type, { action: "receive", ...socket, summary, messages: onSocket(inbound(type)), reply }] as const;
  });
  const told = Object.entries(SERVER_FRAMES).map(([type, summary]) => {
    return [`tell_${type}`, { action: "send", ...socket, summary, messages: onSocket(outbound(type)) }] as const;
  });
  const reply = { ...socket, messages: onSocket("pong") };
  const summary = "Answered by the runtime itself, without waking anything.";
  const ping = { action: "receive", ...socket, summary, messages: onSocket("ping"), reply };
  return Object.fromEntries<Json>([...asked, ...told, ["ping", ping]]);
}

const SERVERS: JsonObject = {
  local: { host: "127.0.0.1:8787", protocol: "ws", security: [ref("components/securitySchemes", "device")] },
  deployed: {
    host: "{host}",
    protocol: "wss",
    variables: { host: { description: "Where the Worker is deployed.", default: "edgewise.example.workers.dev" } },
    security: [ref("components/securitySchemes", "device")],
  },
};

const SECURITY: JsonObject = {
  device: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "The `accessToken` of the HTTP doors." },
};

const HANDSHAKE: JsonObject = {
  method: "GET",
  headers: {
    type: "object",
    properties: {
      Authorization: {
        type: "string",
        description: "`Bearer <accessToken>`; where a browser cannot set it, a subprotocol.",
      },
      "Sec-WebSocket-Protocol": {
        type: "string",
        description: `\`${SUBPROTOCOL}\`, and \`${BEARER_SUBPROTOCOL}<accessToken>\`.`,
      },
    },
  },
};

/** Close codes of the protocol; the standard ones (1001, 1006, 1011, 1012 …) mean: reconnect with full-jitter back-off. */
const closeCodes = (): Json[] =>
  Object.entries(CLOSE).map(([reason, { code, final }]) => ({ code, reason, reconnect: !final }));
