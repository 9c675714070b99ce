import type { Btf } from '../btf.js';
import { typeCycle } from '../c/emit-order.js';
import type { BtfComposite, BtfMember } from '../types.js';

/** C compilers stop sooner; more is a cycle. */
const MAX_NESTING = 64;

/** Members with a name, those of anonymous structs and unions in the place of these, by offsets from the outermost. */
export function namedMembers(btf: Btf, type: BtfComposite): BtfMember[] {
  // No compiler gives two members one name: of those that corrupt BTF has, the first counts.
  const first = new Map<string, BtfMember>();
  for (const member of collect(btf, type, 0, 0)) if (!first.has(member.name)) first.set(member.name, member);
  return [...first.values()];
}

function collect(btf: Btf, type: BtfComposite, offset: number, depth: number): BtfMember[] {
  if (depth > MAX_NESTING) throw typeCycle(type.id);
  return type.members.flatMap((member): BtfMember[] => {
    const bitOffset = offset + member.bitOffset;
    if (member.name !== '') return [{ ...member, bitOffset }];
    const inner = btf.resolve(member.type);
    return inner.kind === 'struct' || inner.kind === 'union' ? collect(btf, inner, bitOffset, depth + 1) : [];
  });
}
