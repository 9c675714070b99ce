/** `count` bits of `bytes` from bit `offset` on, zero-extended. Bits are numbered as BTF numbers them for the endianness. */
export function readBits(bytes: Uint8Array, offset: number, count: number, littleEndian: boolean): bigint {
  const first = Math.floor(offset / 8);
  const last = Math.ceil((offset + count) / 8);
  let word = 0n;
  for (let i = first; i < last; i++)
    word = littleEndian ? word | (BigInt(bytes[i]) << BigInt(8 * (i - first))) : (word << 8n) | BigInt(bytes[i]);
  const below = littleEndian ? offset - first * 8 : last * 8 - offset - count;
  return BigInt.asUintN(count, word >> BigInt(below));
}

/** Puts the low `count` bits of `value` where `readBits` finds them; the bits around stay. */
export function writeBits(
  bytes: Uint8Array,
  offset: number,
  count: number,
  littleEndian: boolean,
  value: bigint,
): void {
  for (let i = 0; i < count; i++) {
    const bit = Number((value >> BigInt(littleEndian ? i : count - 1 - i)) & 1n);
    const at = offset + i;
    const mask = littleEndian ? 1 << (at % 8) : 0x80 >> (at % 8);
    const byte = Math.floor(at / 8);
    bytes[byte] = bit === 1 ? bytes[byte] | mask : bytes[byte] & ~mask;
  }
}
