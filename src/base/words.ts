/** 64-bit values as two 32-bit words. `lo` and `hi` are any JavaScript integers; only their low 32 bits count. */

/** The unsigned 64-bit value of two words. */
export function u64(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** The signed 64-bit value of two words. */
export function s64(lo: number, hi: number): bigint {
  return (BigInt(hi | 0) << 32n) | BigInt(lo >>> 0);
}

/** The low word of a 64-bit value, as a signed 32-bit integer. */
export function lo32(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** The high word of a 64-bit value, as a signed 32-bit integer. */
export function hi32(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

/** `0x` and sixteen hexadecimal digits. */
export function hex64(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16).padStart(16, '0')}`;
}
