import type { Btf, BtfEnum, BtfInt, BtfMember, BtfType } from '../../btf/index.js';

const ANONYMOUS = '(anon)';

/** Types of its own, as `bpftool btf dump` lists them: a line for the type, indented ones for its elements. */
export function formatBtfDump(btf: Btf): string {
  const lines: string[] = [];
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    const type = btf.byId(id);
    lines.push(`[${id}] ${type.kind.toUpperCase()} '${nameOf(type.name)}'${describe(type)}`);
    for (const element of elements(btf, type)) lines.push(`\t${element}`);
  }
  return lines.join('\n');
}

/** The same as `bpftool -j btf dump` gives it. */
export function btfDumpRecord(btf: Btf): object {
  const types: object[] = [];
  for (let id = btf.firstId; id < btf.typeCount; id++) {
    const type = btf.byId(id);
    types.push({ id, kind: type.kind.toUpperCase(), name: nameOf(type.name), ...fields(type) });
  }
  return { types };
}

const nameOf = (name: string): string => (name === '' ? ANONYMOUS : name);
const sign = ({ signed }: BtfEnum): string => (signed ? 'SIGNED' : 'UNSIGNED');

function encoding({ signed, char, bool }: BtfInt): string {
  const flags = [signed && 'SIGNED', char && 'CHAR', bool && 'BOOL'].filter((flag) => flag !== false);
  return flags.length === 0 ? '(none)' : flags.length === 1 ? (flags[0] ?? '') : 'UNKN';
}

/** `bpftool` prints the fields of JSON in text, too, but for these. */
function describe(type: BtfType): string {
  const shown = Object.entries(fields(type)).filter(([, value]) => !Array.isArray(value));
  const separator = type.kind === 'var' ? ', ' : ' ';
  return shown.length === 0 ? '' : ` ${shown.map(([name, value]) => `${name}=${String(value)}`).join(separator)}`;
}

function elements(btf: Btf, type: BtfType): string[] {
  switch (type.kind) {
    case 'struct':
    case 'union':
      return type.members.map(
        ({ name, type: id, bitOffset, bitSize }) =>
          `'${nameOf(name)}' type_id=${id} bits_offset=${bitOffset}${bitSize > 0 ? ` bitfield_size=${bitSize}` : ''}`,
      );
    case 'enum':
    case 'enum64': {
      const suffix = type.kind === 'enum' ? '' : type.signed ? 'LL' : 'ULL';
      return type.values.map(({ name, value }) => `'${nameOf(name)}' val=${value}${suffix}`);
    }
    case 'func_proto':
      return type.params.map(({ name, type: id }) => `'${nameOf(name)}' type_id=${id}`);
    case 'datasec':
      return type.vars.map(
        ({ type: id, offset, size }) =>
          `type_id=${id} offset=${offset} size=${size} (${btf.kindOf(id).toUpperCase()} '${nameOf(btf.nameOf(id))}')`,
      );
    default:
      return [];
  }
}

function fields(type: BtfType): object {
  switch (type.kind) {
    case 'int':
      return { size: type.size, bits_offset: type.bitOffset, nr_bits: type.bits, encoding: encoding(type) };
    case 'float':
      return { size: type.size };
    case 'array':
      return { type_id: type.elementType, index_type_id: type.indexType, nr_elems: type.count };
    case 'struct':
    case 'union':
      return { size: type.size, vlen: type.members.length, members: type.members.map(memberFields) };
    case 'enum':
    case 'enum64':
      return {
        encoding: sign(type),
        size: type.size,
        vlen: type.values.length,
        values: type.values.map(({ name, value }) => ({ name: nameOf(name), val: jsonValue(type, value) })),
      };
    case 'fwd':
      return { fwd_kind: type.union ? 'union' : 'struct' };
    case 'func':
    case 'var':
      return { type_id: type.type, linkage: type.linkage };
    case 'func_proto':
      return {
        ret_type_id: type.returnType,
        vlen: type.params.length,
        params: type.params.map((param) => ({ name: nameOf(param.name), type_id: param.type })),
      };
    case 'datasec':
      return {
        size: type.size,
        vlen: type.vars.length,
        vars: type.vars.map(({ type: id, offset, size }) => ({ type_id: id, offset, size })),
      };
    case 'decl_tag':
      return { type_id: type.type, component_idx: type.componentIndex };
    case 'void':
      return {};
    default:
      return { type_id: type.type };
  }
}

function memberFields({ name, type, bitOffset, bitSize }: BtfMember): object {
  const bits = bitSize > 0 ? { bitfield_size: bitSize } : {};
  return { name: nameOf(name), type_id: type, bits_offset: bitOffset, ...bits };
}

/** bpftool 7.1 extends the sign of 32-bit enumerators that have none. */
function jsonValue({ kind, signed }: BtfEnum, value: bigint): bigint {
  return kind === 'enum' && !signed ? BigInt.asUintN(64, BigInt.asIntN(32, value)) : value;
}
