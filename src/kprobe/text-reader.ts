import { hi32, lo32 } from '../base/index.js';
import type { Host, HostText } from '../host/index.js';
import type { AddressTable } from './address-table.js';
import type { KprobePoint } from './kprobe-point.js';

/** Bytes of the longest breakpoint. */
const MAX_BREAKPOINT = 4;

/** The host's text as it was before any probe. */
export class TextReader {
  readonly #host: Host;
  readonly #points: AddressTable<KprobePoint>;

  constructor(host: Host, points: AddressTable<KprobePoint>) {
    this.#host = host;
    this.#points = points;
  }

  /** `length` bytes at `address` with the original bytes where probes stand; null is a fault. */
  read(address: bigint, length: number): Uint8Array | null {
    const bytes = this.readPatched(address, length);
    if (bytes === null) return null;
    for (let offset = 1 - MAX_BREAKPOINT; offset < length; offset++) {
      const point = this.#points.get(address + BigInt(offset));
      if (point?.armed === true) overlay(bytes, offset, point);
    }
    return bytes;
  }

  /** `length` bytes at `address` as they stand; null is a fault. */
  readPatched(address: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    return this.#host.memory.readKernel(lo32(address), hi32(address), bytes, 0, length) ? bytes : null;
  }

  /** Puts `bytes` at `address`, whatever stands there; false where that is no text. */
  overwrite(text: HostText, address: bigint, bytes: Uint8Array): boolean {
    const found = this.readPatched(address, bytes.length);
    return found !== null && text.patch(address, found, bytes);
  }
}

function overlay(bytes: Uint8Array, offset: number, point: KprobePoint): void {
  const { original, breakpoint } = point;
  if (offset <= -breakpoint.length || offset >= bytes.length) return;
  for (let i = 0; i < breakpoint.length; i++) {
    const at = offset + i;
    if (at >= 0 && at < bytes.length) bytes[at] = original[i];
  }
}
