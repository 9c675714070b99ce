import { type Btf } from '../btf.js';
import { typeCycle } from '../c/emit-order.js';
import type { BtfComposite, BtfEnum, BtfFuncProto, BtfMember, BtfType } from '../types.js';
import { isCharacter } from '../value-decoder.js';
import { namedMembers } from './member-list.js';
import { identifier, propertyName, quote, TsNames } from './ts-names.js';

const MAX_NESTING = 64;

export interface PrintDtsOptions {
  /** Declares these types and what they contain; pointers elsewhere are to `unknown`. Else all. */
  readonly ids?: Iterable<number>;
  /** Where the declarations import BtfPointer and BtfFixedArray from. */
  readonly from?: string;
}

/**
 * TypeScript declarations of a BTF's types, as values have them that `TypedBtf` reads: integers of up to 32 bits are `number`,
 * wider ones `bigint`, pointers branded bigints, enums names of enumerators, `char` arrays `string`. `BtfTypes` lists
 * the types by C name, `BtfLayouts` their sizes and offsets as literal types. Compiles under `strict`.
 */
export function printBtfAsDts(btf: Btf, { ids, from = 'kscope/btf' }: PrintDtsOptions = {}): string {
  return new DtsPrinter(btf, ids === undefined ? allNamed(btf) : valueClosure(btf, ids), from).print();
}

const isDeclared = (type: BtfType): boolean =>
  type.name !== '' && ['struct', 'union', 'enum', 'enum64', 'typedef'].includes(type.kind);

function allNamed(btf: Btf): number[] {
  return [...btf].filter(isDeclared).map(({ id }) => id);
}

/** Named types that are contained in the given ones. */
function valueClosure(btf: Btf, roots: Iterable<number>): number[] {
  const seen = new Set<number>();
  const stack = [...roots];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const type = btf.byId(id);
    if (type.kind === 'struct' || type.kind === 'union') stack.push(...type.members.map((member) => member.type));
    else if (type.kind === 'array') stack.push(type.elementType);
    else if (type.kind !== 'ptr' && 'type' in type) stack.push(type.type);
  }
  return [...seen].filter((id) => isDeclared(btf.byId(id))).toSorted((a, b) => a - b);
}

class DtsPrinter {
  readonly #btf: Btf;
  readonly #ids: readonly number[];
  readonly #names: TsNames;
  readonly #from: string;

  constructor(btf: Btf, ids: readonly number[], from: string) {
    this.#btf = btf;
    this.#ids = ids;
    this.#names = new TsNames(btf, ids);
    this.#from = from;
  }

  print(): string {
    const declarations = this.#ids.map((id) => this.#declaration(this.#btf.byId(id))).filter((text) => text !== '');
    return [
      `import type { BtfFixedArray, BtfPointer } from '${this.#from}';\n`,
      ...declarations,
      this.#table('BtfTypes', 'Types by their names in C.', ({ id }) => this.#names.of(id) ?? 'unknown'),
      this.#table('BtfLayouts', 'Sizes and offsets in bytes.', (type) =>
        type.kind === 'struct' || type.kind === 'union' ? this.#layout(type) : undefined,
      ),
    ].join('\n');
  }

  #declaration(type: BtfType): string {
    const name = this.#names.of(type.id) ?? '';
    switch (type.kind) {
      case 'struct':
      case 'union':
        return `/** ${type.kind} ${comment(type.name)}: ${type.size} bytes. */\nexport interface ${name} ${this.#members(type, 0)}\n`;
      case 'enum':
      case 'enum64':
        return `/** enum ${comment(type.name)}: ${type.size} bytes. */\nexport type ${name} = ${enumType(type)};\n`;
      case 'typedef': {
        const target = this.#value(type.type, 0);
        return target === name ? '' : `export type ${name} = ${target};\n`;
      }
      default:
        return '';
    }
  }

  #members(type: BtfComposite, depth: number): string {
    const indent = '  '.repeat(depth + 1);
    const lines = namedMembers(this.#btf, type).map((member) => {
      const place = `${indent}/** ${placeOf(member)} */\n`;
      return `${place}${indent}readonly ${propertyName(member.name)}: ${this.#value(member.type, depth + 1)};\n`;
    });
    return lines.length === 0 ? '{}' : `{\n${lines.join('')}${'  '.repeat(depth)}}`;
  }

  /** The type of values of type `id`, indented for that depth. */
  #value(id: number, depth: number): string {
    if (depth > MAX_NESTING) throw typeCycle(id);
    const name = this.#names.of(id);
    if (name !== undefined) return name;
    const type = this.#btf.byId(id);
    switch (type.kind) {
      case 'int':
        return type.bool ? 'boolean' : type.size <= 4 ? 'number' : 'bigint';
      case 'float':
        return type.size === 4 || type.size === 8 ? 'number' : 'never';
      case 'ptr':
        return `BtfPointer<${this.#pointee(type.type, depth)}>`;
      case 'array':
        // Refuses arrays of themselves.
        this.#btf.sizeOf(type.elementType);
        if (isCharacter(this.#btf.resolve(type.elementType))) return 'string';
        return type.count === 0
          ? `readonly ${this.#element(type.elementType, depth)}[]`
          : `BtfFixedArray<${this.#value(type.elementType, depth)}, ${type.count}>`;
      case 'struct':
      case 'union':
        return type.name === '' ? this.#members(type, depth) : 'unknown';
      case 'enum':
      case 'enum64':
        return enumType(type);
      case 'typedef':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
      case 'var':
        return this.#value(type.type, depth + 1);
      case 'void':
      case 'fwd':
        return 'null';
      default:
        return 'never';
    }
  }

  #element(id: number, depth: number): string {
    const text = this.#value(id, depth + 1);
    return /^[\w$]+(<.*>)?$/.test(text) ? text : `(${text})`;
  }

  #pointee(id: number, depth: number): string {
    if (depth > MAX_NESTING) throw typeCycle(id);
    const declared = this.#names.of(id);
    if (declared !== undefined) return declared;
    const type = this.#btf.byId(id);
    switch (type.kind) {
      case 'void':
      case 'fwd':
        return 'unknown';
      case 'struct':
      case 'union':
        // Those are not expanded at every pointer to them: one may lead back to itself.
        return 'unknown';
      case 'func_proto':
        return this.#function(type, depth + 1);
      case 'typedef':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
        return this.#pointee(type.type, depth + 1);
      default:
        return this.#value(id, depth + 1);
    }
  }

  #function({ params, returnType }: BtfFuncProto, depth: number): string {
    const names = new Set<string>();
    const list = params.map(({ name, type }, i) => {
      if (type === 0) return i === params.length - 1 ? '...rest: unknown[]' : `_${i}: unknown`;
      const plain = name === '' || names.has(identifier(name)) ? `_${i}` : identifier(name);
      names.add(plain);
      return `${plain}: ${this.#value(type, depth + 1)}`;
    });
    return `(${list.join(', ')}) => ${returnType === 0 ? 'void' : this.#value(returnType, depth + 1)}`;
  }

  /** An interface with a member for each type, the first of each kind and name. */
  #table(name: string, what: string, memberOf: (type: BtfType) => string | undefined): string {
    const lines = new Map<string, string>();
    for (const id of this.#ids) {
      const type = this.#btf.byId(id);
      const key = `${type.kind === 'enum64' ? 'enum' : type.kind} ${type.name}`;
      const member = lines.has(key) ? undefined : memberOf(type);
      if (member !== undefined) lines.set(key, `  readonly ${quote(key)}: ${member};\n`);
    }
    return `/** ${what} */\nexport interface ${name} {\n${[...lines.values()].join('')}}\n`;
  }

  #layout(type: BtfComposite): string {
    const offsets = new Map<string, string>();
    for (const { name, bitOffset, bitSize } of namedMembers(this.#btf, type)) {
      if (bitSize === 0) offsets.set(name, `readonly ${propertyName(name)}: ${Math.floor(bitOffset / 8)}`);
    }
    const list = offsets.size === 0 ? '{}' : `{ ${[...offsets.values()].join('; ')} }`;
    return `{ readonly size: ${type.size}; readonly align: ${this.#btf.alignmentOf(type.id)}; readonly offsets: ${list} }`;
  }
}

function enumType({ values, size }: BtfEnum): string {
  const names = [...new Set(values.map(({ name }) => quote(name)))];
  return [...names, size <= 4 ? 'number' : 'bigint'].join(' | ');
}

function placeOf({ bitOffset, bitSize }: BtfMember): string {
  const at = `At ${Math.floor(bitOffset / 8)}.`;
  return bitSize === 0 ? at : `Bits ${bitOffset} to ${bitOffset + bitSize - 1}.`;
}

const comment = (name: string): string => name.replaceAll('*/', '*_');
