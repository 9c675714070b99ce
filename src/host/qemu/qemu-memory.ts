import { GuestMemory } from '../guest/index.js';

/** A breakpoint that the stub keeps, and what would stand in the text if it were one of bytes. */
interface StubBreakpoint {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/**
 * The guest's memory as whoever patches it expects to read it: breakpoints that the stub keeps for itself, and which are
 * not in the guest's memory, show as the bytes they stand for.
 */
export class QemuMemory extends GuestMemory {
  readonly #breakpoints = new Map<bigint, StubBreakpoint>();

  /** The stub's breakpoint at `address`, as bytes. */
  breakpointAt(address: bigint): Uint8Array | undefined {
    return this.#breakpoints.get(address)?.bytes;
  }

  get breakpoints(): readonly bigint[] {
    return [...this.#breakpoints.keys()];
  }

  showBreakpoint(address: bigint, bytes: Uint8Array): void {
    this.#breakpoints.set(address, { address, bytes });
  }

  hideBreakpoint(address: bigint): void {
    this.#breakpoints.delete(address);
  }

  override readKernel(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean {
    if (!super.readKernel(lo, hi, dst, offset, length)) return false;
    if (this.#breakpoints.size > 0) this.#overlay(lo, hi, dst, offset, length);
    return true;
  }

  #overlay(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): void {
    const start = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    for (const { address, bytes } of this.#breakpoints.values()) {
      const at = Number(address - start);
      if (at <= -bytes.length || at >= length) continue;
      for (let i = 0; i < bytes.length; i++) if (at + i >= 0 && at + i < length) dst[offset + at + i] = bytes[i];
    }
  }
}
