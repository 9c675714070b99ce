/** Physical bytes that are RAM: `start` is the address as the guest's processors see it. */
export interface RamRange {
  readonly start: number;
  readonly size: number;
}

/**
 * The physical memory of a guest. Addresses are numbers: no machine has more than 2^53 bytes. Reads and writes are all or
 * nothing: `false` is a fault, and a faulting read leaves `dst` untouched. What is outside of RAM (devices) faults.
 */
export interface GuestRam {
  readonly ranges: readonly RamRange[];
  read(address: number, dst: Uint8Array, offset: number, length: number): boolean;
  write(address: number, src: Uint8Array, offset: number, length: number): boolean;
  /** The little-endian 32-bit word at `address`, a multiple of 4, as an unsigned number; -1 is a fault. */
  word(address: number): number;
}
