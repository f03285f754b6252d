/** WebSocket close codes; `final` ones must not be answered by a reconnect. */
export const CLOSE = {
  protocol_error: { code: 4000, final: true },
  signed_out: { code: 4001, final: true },
  replaced: { code: 4002, final: true },
  token_expired: { code: 4003, final: false },
  out_of_step: { code: 4008, final: false },
} as const;
