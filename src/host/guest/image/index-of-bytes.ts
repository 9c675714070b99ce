/** Where `pattern`, which is not empty, is first in `bytes` at or behind `from`; -1: nowhere. */
export function indexOfBytes(bytes: Uint8Array, pattern: Uint8Array, from: number): number {
  const last = bytes.length - pattern.length;
  for (let at = bytes.indexOf(pattern[0], from); at >= 0 && at <= last; at = bytes.indexOf(pattern[0], at + 1)) {
    if (pattern.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}
