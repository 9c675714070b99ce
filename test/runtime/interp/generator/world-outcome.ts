import type { Subject } from './world-operands.js';

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

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}

export function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** The outcome with keys in an order that does not depend on the map's. */
export function comparable(outcome: WorldOutcome, subjects: readonly Subject[]): WorldOutcome {
  const maps = outcome.maps.map(({ keys, values }, i) => ({
    keys: subjects[i].isOrdered ? keys : keys.toSorted(),
    values,
  }));
  return { ...outcome, maps };
}
