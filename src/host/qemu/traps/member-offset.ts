import type { Btf } from '../../../btf/index.js';

/** Bytes from the start of struct `type` to the member at `path`, or null where the types do not tell. */
export function memberOffset(btf: Btf | null, type: string, path: string): number | null {
  const found = btf?.findByName(type, 'struct');
  if (btf === null || found === undefined) return null;
  const member = btf.member(found.id, path);
  return member === undefined ? null : member.bitOffset >> 3;
}
