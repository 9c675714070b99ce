import { BpfError } from '../base/index.js';
import type { Btf } from './btf.js';

/** Where a member lies in its outermost type. */
export interface BtfMemberLocation {
  /** The member's type id. */
  readonly type: number;
  readonly bitOffset: number;
  /** Width of a bit-field, 0 for any other member. */
  readonly bitSize: number;
}

type Step = { readonly name: string } | { readonly index: number };

/** Follows a dotted path from type `id`; see `Btf.member`. */
export function findMember(btf: Btf, id: number, path: string): BtfMemberLocation | undefined {
  let location: BtfMemberLocation | undefined = { type: id, bitOffset: 0, bitSize: 0 };
  for (const step of parsePath(path)) {
    const found: BtfMemberLocation | undefined =
      'name' in step ? memberNamed(btf, location.type, step.name, new Set()) : element(btf, location.type, step.index);
    if (found === undefined) return undefined;
    location = { ...found, bitOffset: location.bitOffset + found.bitOffset };
  }
  return location;
}

function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  for (const part of path.split('.')) {
    const match = /^([A-Za-z_]\w*)?((?:\[\d+\])*)$/.exec(part);
    if (match === null || part === '') {
      throw new BpfError('EINVAL', 'malformed member path', {
        value: path,
        remedy: 'write it as in C, like se.avg[1].load',
      });
    }
    if (match[1] !== undefined) steps.push({ name: match[1] });
    for (const index of match[2].matchAll(/\d+/g)) steps.push({ index: Number(index[0]) });
  }
  return steps;
}

/** A member by name, searched in anonymous members too. `visited` keeps corrupt, self-containing types finite. */
function memberNamed(btf: Btf, id: number, name: string, visited: Set<number>): BtfMemberLocation | undefined {
  const type = btf.resolve(id);
  if ((type.kind !== 'struct' && type.kind !== 'union') || visited.has(type.id)) return undefined;
  visited.add(type.id);
  for (const member of type.members) {
    if (member.name === name) return { type: member.type, bitOffset: member.bitOffset, bitSize: member.bitSize };
    if (member.name !== '') continue;
    const inner = memberNamed(btf, member.type, name, visited);
    if (inner !== undefined) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset };
  }
  return undefined;
}

function element(btf: Btf, id: number, index: number): BtfMemberLocation | undefined {
  const type = btf.resolve(id);
  if (type.kind !== 'array' || (index >= type.count && type.count !== 0)) return undefined;
  return { type: type.elementType, bitOffset: 8 * index * btf.sizeOf(type.elementType), bitSize: 0 };
}
