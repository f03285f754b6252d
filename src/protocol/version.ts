/** The wire's version: the `version` of `hello`, and the subprotocol a socket is opened with. */
export const PROTOCOL_VERSION = 1;
export const SUBPROTOCOL = "edgewise.v1";
/** Prefix of the second subprotocol, which carries the access token where a browser cannot set a header. */
export const BEARER_SUBPROTOCOL = "bearer.";
