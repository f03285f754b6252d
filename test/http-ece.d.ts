/** The part of http_ece that the tests use: a decoder of RFC 8188 that is not ours. */
declare module "http_ece" {
  import type { ECDH } from "node:crypto";
  export function decrypt(
    body: Uint8Array,
    params: { version: "aes128gcm"; privateKey: ECDH; authSecret: string },
  ): Uint8Array;
}
