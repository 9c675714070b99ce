import { HashKind } from './map-layout.js';

/** Initial value of the kernel's jhash (include/linux/jhash.h), after Bob Jenkins' lookup3. */
const JHASH_INITVAL = 0xdeadbeef;

function rotl(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/**
 * jhash of `length` bytes at `offset`, seeded. For lengths that are multiples of 4 the kernel calls its
 * word variant (jhash2), whose rounds differ from the byte one only in how the tail is fetched: both
 * give the same result on a little-endian machine.
 */
export function jhash(u8: Uint8Array, offset: number, length: number, seed: number): number {
  let a = (JHASH_INITVAL + length + seed) | 0;
  let b = a;
  let c = a;
  let at = offset;
  let left = length;
  while (left > 12) {
    a = (a + word(u8, at, 4)) | 0;
    b = (b + word(u8, at + 4, 4)) | 0;
    c = (c + word(u8, at + 8, 4)) | 0;
    a = (a - c) ^ rotl(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotl(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotl(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotl(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotl(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotl(b, 4);
    b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  if (left === 0) return c >>> 0;
  a = (a + word(u8, at, left)) | 0;
  b = (b + word(u8, at + 4, left - 4)) | 0;
  c = (c + word(u8, at + 8, left - 8)) | 0;
  return finish(a, b, c);
}

function finish(a0: number, b0: number, c0: number): number {
  let a = a0;
  let b = b0;
  let c = c0;
  c = ((c ^ b) - rotl(b, 14)) | 0;
  a = ((a ^ c) - rotl(c, 11)) | 0;
  b = ((b ^ a) - rotl(a, 25)) | 0;
  c = ((c ^ b) - rotl(b, 16)) | 0;
  a = ((a ^ c) - rotl(c, 4)) | 0;
  b = ((b ^ a) - rotl(a, 14)) | 0;
  c = ((c ^ b) - rotl(b, 24)) | 0;
  return c >>> 0;
}

/** Up to four bytes as a little-endian word; fewer where `left` says that fewer are there. */
function word(u8: Uint8Array, at: number, left: number): number {
  if (left <= 0) return 0;
  let value = u8[at];
  if (left > 1) value |= u8[at + 1] << 8;
  if (left > 2) value |= u8[at + 2] << 16;
  if (left > 3) value |= u8[at + 3] << 24;
  return value;
}

/** Hash of the key at `offset` in the way `kind` says; an unsigned 32-bit number. */
export function hashKey(kind: number, u8: Uint8Array, offset: number, length: number, seed: number): number {
  if (kind === HashKind.jhash) return jhash(u8, offset, length, seed);
  const lo = word(u8, offset, 4);
  const folded = kind === HashKind.mix32 ? lo : lo ^ rotl(Math.imul(word(u8, offset + 4, 4), 0x85ebca6b), 15);
  const product = Math.imul(folded ^ seed, 0x9e3779b1);
  return (product ^ (product >>> 15)) >>> 0;
}
