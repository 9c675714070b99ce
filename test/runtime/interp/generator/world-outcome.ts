/** All that a run leaves behind, as text: differences can be read. */
export interface WorldOutcome {
  readonly retval: number;
  /** Why the run stopped, and where; programs that Linux has let in do not. */
  readonly fault?: string;
  readonly value: string;
  readonly packet: string;
  readonly ring: RingState;
  /** The elements of each subject. */
  readonly maps: readonly MapState[];
}

export interface RingState {
  readonly consumer: bigint;
  readonly producer: bigint;
  readonly data: string;
}

export interface MapState {
  /** Keys in their order. */
  readonly keys: readonly string[];
  /** By key. */
  readonly values: Readonly<Record<string, string>>;
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
