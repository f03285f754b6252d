type Times = { composedAt: number; sentAt: number; receivedAt: number };

/**
 * When it happened, by the server's clock: the device's own delay between writing and sending is kept, its clock's error is not.
 * Epoch ms.
 */
export function occurredAt({ composedAt, sentAt, receivedAt }: Times): number {
  return Math.max(0, Math.min(receivedAt, composedAt + (receivedAt - sentAt))); // [EV-3] never later than receivedAt
}
