import { BpfError } from '../../base/index.js';
import type { Btf, BtfType } from '../../btf/index.js';
import { mapDefinition } from '../btf-maps.js';
import type { ElfSymbol } from '../elf/elf-symbols.js';
import type { InputObject } from './input-object.js';

/** What an object's BTF says of a global symbol. */
export interface Declaration {
  readonly btf: Btf;
  readonly id: number;
  readonly kind: 'var' | 'func';
  readonly linkage: 'static' | 'global' | 'extern';
  /** The datasec it stands in, if any. */
  readonly section: string | undefined;
}

/** Undefined where the object has no BTF at all; a global symbol that BTF does not know is an EINVAL `BpfError`. */
export function declarationOf(input: InputObject, { name }: ElfSymbol): Declaration | undefined {
  const { btf } = input;
  if (btf === null) return undefined;
  for (const id of btf.idsByName(name)) {
    const type = btf.byId(id);
    if ((type.kind !== 'var' && type.kind !== 'func') || type.linkage === 'static') continue;
    const section = [...input.datasecs.values()].find(({ vars }) => vars.some((each) => each.type === id));
    return { btf, id, kind: type.kind, linkage: type.linkage, section: section?.name };
  }
  throw new BpfError('EINVAL', `linking ${input.name}: global symbol ${name} is not in its BTF`, {
    section: '.BTF',
    value: name,
    remedy: 'compile with -g',
  });
}

/** Whether two maps are defined by the same attributes. */
export function mapsAgree(a: Declaration, b: Declaration): boolean {
  const [one, other] = [mapDefinition(a.btf, a.id), mapDefinition(b.btf, b.id)];
  if (one === undefined || other === undefined) return false;
  const typed = (map: typeof one): unknown[] => [
    map.type,
    map.keySize,
    map.valueSize,
    map.maxEntries,
    map.flags,
    map.pinning,
  ];
  const sameTypes =
    agree(a.btf, one.keyTypeId, b.btf, other.keyTypeId, true, 0) &&
    agree(a.btf, one.valueTypeId, b.btf, other.valueTypeId, true, 0);
  return sameTypes && typed(one).every((value, i) => value === typed(other)[i]);
}

/**
 * Whether two declarations can be of one thing: libbpf's glob_sym_btf_matches(). Behind pointers a declaration of a struct does
 * for its definition; an array without a size does for one with.
 */
export function declarationsAgree(a: Declaration, b: Declaration): boolean {
  if (a.kind !== b.kind) return false;
  const typeOf = ({ btf, id }: Declaration): number => {
    const type = btf.byId(id);
    return type.kind === 'var' || type.kind === 'func' ? type.type : 0;
  };
  return agree(a.btf, typeOf(a), b.btf, typeOf(b), true, 0);
}

const MAX_DEPTH = 32;

function agree(btfA: Btf, idA: number, btfB: Btf, idB: number, exact: boolean, depth: number): boolean {
  if (depth > MAX_DEPTH) return true;
  const [a, b] = [btfA.resolve(idA), btfB.resolve(idB)];
  if (a.kind !== b.kind) return !exact && isDeclared(a) && isDeclared(b) && a.name === b.name;
  const inner = (x: number, y: number, strict = exact): boolean => agree(btfA, x, btfB, y, strict, depth + 1);
  if (a.kind === 'int' && b.kind === 'int')
    return a.size === b.size && a.bits === b.bits && a.signed === b.signed && a.bool === b.bool;
  if ((a.kind === 'enum' && b.kind === 'enum') || (a.kind === 'enum64' && b.kind === 'enum64'))
    return a.name === b.name && a.size === b.size;
  if (a.kind === 'ptr' && b.kind === 'ptr') return inner(a.type, b.type, false);
  if (a.kind === 'array' && b.kind === 'array')
    return (a.count === b.count || a.count === 0 || b.count === 0) && inner(a.elementType, b.elementType);
  if (a.kind === 'func_proto' && b.kind === 'func_proto') {
    return (
      a.params.length === b.params.length &&
      inner(a.returnType, b.returnType) &&
      a.params.every((param, i) => inner(param.type, b.params[i].type))
    );
  }
  if ((a.kind === 'struct' && b.kind === 'struct') || (a.kind === 'union' && b.kind === 'union')) {
    if (a.name !== b.name) return false;
    if (!exact) return true;
    return (
      a.size === b.size &&
      a.members.length === b.members.length &&
      a.members.every((member, i) => {
        const other = b.members[i];
        return member.name === other.name && member.bitOffset === other.bitOffset && inner(member.type, other.type);
      })
    );
  }
  return a.name === b.name;
}

function isDeclared(type: BtfType): boolean {
  return type.kind === 'struct' || type.kind === 'union' || type.kind === 'fwd';
}
