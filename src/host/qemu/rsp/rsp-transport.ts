/**
 * A byte stream to a gdb stub (or a serial line), used synchronously: whoever waits in `receive` does nothing else.
 */
export interface RspTransport {
  /** Hands bytes to the peer. What cannot be sent any more is dropped: `receive` tells that the peer is gone. */
  send(bytes: Uint8Array): void;
  /**
   * The bytes that have come, at least one; waits up to `timeoutMs` for them (0: not at all). Null: none came in time.
   * EPIPE once the peer is gone and all its bytes were taken.
   */
  receive(timeoutMs: number): Uint8Array | null;
  /** Ends the connection. Idempotent. */
  close(): void;
}
