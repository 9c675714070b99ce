import type { Btf } from '../btf.js';
import type { BtfType } from '../types.js';

/** Pointers, arrays and typedefs that a name goes through (BTF_SHOW_MAX_ITER). */
const MAX_NESTING = 10;
/** BTF_SHOW_NAME_SIZE, its NUL excluded. */
const MAX_NAME = 79;
const QUALIFIERS = ['const', 'volatile', 'restrict', 'type_tag'];

/** What stands before a value: `.member = (struct name *)` and what opens the value itself. */
export function showName(btf: Btf, typeId: number, member: string | undefined, hideNames: boolean): string {
  const declared = declare(btf, typeId);
  if (declared === undefined) return '';
  const { name, prefix, pointers, arrays, opening } = declared;
  if (hideNames) return opening;
  const before = member === undefined || member === '' ? '' : `.${member} = `;
  const type = `${prefix}${prefix !== '' && name !== '' ? ' ' : ''}${name}${pointers === '' ? '' : ' '}${pointers}${arrays}`;
  return `${before}(${type})${opening}`.slice(0, MAX_NAME);
}

interface Declared {
  readonly name: string;
  readonly prefix: string;
  readonly pointers: string;
  readonly arrays: string;
  readonly opening: string;
}

function declare(btf: Btf, typeId: number): Declared | undefined {
  let name: string | undefined;
  let pointers = '';
  let arrays = '';
  let type = btf.byId(typeId);
  for (let i = 0; i < MAX_NESTING; i++) {
    switch (type.kind) {
      case 'typedef':
        name ??= type.name;
        type = unqualified(btf, type.type);
        break;
      case 'array':
        arrays += '[]';
        type = unqualified(btf, type.elementType);
        break;
      case 'ptr':
        pointers += '*';
        type = unqualified(btf, type.type);
        break;
      default:
        return described(type, name, pointers, arrays);
    }
  }
  return undefined;
}

function described(type: BtfType, typedef: string | undefined, pointers: string, arrays: string): Declared {
  const isRecord = type.kind === 'struct' || type.kind === 'union';
  const prefix = isRecord ? type.kind : type.kind === 'enum' || type.kind === 'enum64' ? 'enum' : '';
  const opening = pointers !== '' ? '' : arrays !== '' ? '[' : isRecord ? '{' : '';
  const name = typedef ?? ('name' in type ? type.name : '');
  return { name, prefix: typedef === undefined ? prefix : '', pointers, arrays, opening };
}

function unqualified(btf: Btf, typeId: number): BtfType {
  let type = btf.byId(typeId);
  for (let i = 0; i < 32 && 'type' in type && QUALIFIERS.includes(type.kind); i++) type = btf.byId(type.type);
  return type;
}
