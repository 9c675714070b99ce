import { btfKindNames } from './kinds.js';
import { RECORD_HEADER_WORDS, recordCount, recordKind, recordKindFlag } from './record-shape.js';
import type { BtfStringTable } from './string-table.js';
import type { TypeRecords } from './type-records.js';
import type { BtfEnumerator, BtfLinkage, BtfMember, BtfType } from './types.js';

const linkages: readonly BtfLinkage[] = ['static', 'global', 'extern'];
const linkage = (value: number): BtfLinkage => linkages[value] ?? 'extern';

/** Decodes the record of type `id`, which `scanTypeRecords` found sound. */
export function decodeType(records: TypeRecords, strings: BtfStringTable, id: number): BtfType {
  const { words, starts, firstId } = records;
  const at = starts[id - firstId];
  const info = words[at + 1];
  const sizeOrType = words[at + 2];
  const body = at + RECORD_HEADER_WORDS;
  const count = recordCount(info);
  const kind = btfKindNames[recordKind(info)];
  const name = strings.at(words[at]);
  switch (kind) {
    case 'void':
      return { kind, id, name };
    case 'int':
      return { kind, id, name, size: sizeOrType, ...intEncoding(words[body]) };
    case 'float':
      return { kind, id, name, size: sizeOrType };
    case 'ptr':
    case 'typedef':
    case 'volatile':
    case 'const':
    case 'restrict':
      return { kind, id, name, type: sizeOrType };
    case 'type_tag':
      return { kind, id, name, type: sizeOrType, ...attribute(info) };
    case 'array':
      return { kind, id, name, elementType: words[body], indexType: words[body + 1], count: words[body + 2] };
    case 'struct':
    case 'union':
      return {
        kind,
        id,
        name,
        size: sizeOrType,
        members: decodeMembers(words, strings, body, count, recordKindFlag(info)),
      };
    case 'enum':
    case 'enum64': {
      const signed = recordKindFlag(info);
      const values =
        kind === 'enum'
          ? decodeEnum(words, strings, body, count, signed)
          : decodeEnum64(words, strings, body, count, signed);
      return { kind, id, name, size: sizeOrType, signed, values };
    }
    case 'fwd':
      return { kind, id, name, union: recordKindFlag(info) };
    case 'func':
      return { kind, id, name, type: sizeOrType, linkage: linkage(count) };
    case 'func_proto':
      return {
        kind,
        id,
        name,
        returnType: sizeOrType,
        params: Array.from({ length: count }, (_, i) => ({
          name: strings.at(words[body + 2 * i]),
          type: words[body + 2 * i + 1],
        })),
      };
    case 'var':
      return { kind, id, name, type: sizeOrType, linkage: linkage(words[body]) };
    case 'datasec':
      return {
        kind,
        id,
        name,
        size: sizeOrType,
        vars: Array.from({ length: count }, (_, i) => ({
          type: words[body + 3 * i],
          offset: words[body + 3 * i + 1],
          size: words[body + 3 * i + 2],
        })),
      };
    default:
      return { kind, id, name, type: sizeOrType, componentIndex: words[body] | 0, ...attribute(info) };
  }
}

const attribute = (info: number): { attribute?: true } => (recordKindFlag(info) ? { attribute: true } : {});

function intEncoding(word: number): { bits: number; bitOffset: number; signed: boolean; char: boolean; bool: boolean } {
  const encoding = (word >>> 24) & 0x0f;
  return {
    bits: word & 0xff,
    bitOffset: (word >>> 16) & 0xff,
    signed: (encoding & 1) !== 0,
    char: (encoding & 2) !== 0,
    bool: (encoding & 4) !== 0,
  };
}

function decodeMembers(
  words: Uint32Array,
  strings: BtfStringTable,
  body: number,
  count: number,
  bitfields: boolean,
): BtfMember[] {
  return Array.from({ length: count }, (_, i) => {
    const at = body + 3 * i;
    const offset = words[at + 2];
    return {
      name: strings.at(words[at]),
      type: words[at + 1],
      bitOffset: bitfields ? offset & 0xff_ffff : offset,
      bitSize: bitfields ? offset >>> 24 : 0,
    };
  });
}

function decodeEnum(
  words: Uint32Array,
  strings: BtfStringTable,
  body: number,
  count: number,
  signed: boolean,
): BtfEnumerator[] {
  return Array.from({ length: count }, (_, i) => {
    const value = words[body + 2 * i + 1];
    return { name: strings.at(words[body + 2 * i]), value: BigInt(signed ? value | 0 : value) };
  });
}

function decodeEnum64(
  words: Uint32Array,
  strings: BtfStringTable,
  body: number,
  count: number,
  signed: boolean,
): BtfEnumerator[] {
  return Array.from({ length: count }, (_, i) => {
    const at = body + 3 * i;
    const value = (BigInt(words[at + 2]) << 32n) | BigInt(words[at + 1]);
    return { name: strings.at(words[at]), value: signed ? BigInt.asIntN(64, value) : value };
  });
}
