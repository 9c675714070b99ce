import type { Btf } from '../btf.js';
import type { BtfComposite, BtfEnum, BtfFuncProto, BtfType } from '../types.js';
import { CNames } from './c-names.js';
import { isPacked, padding } from './c-padding.js';
import { EmitOrder, isComposite, MAX_C_DEPTH, typeCycle } from './emit-order.js';

type EmitState = 'emitting' | 'emitted';

/** Types of arm64 that compilers know without a definition, but not by a name that other targets have. */
const MISSING_TYPES: ReadonlyMap<string, string> = new Map([
  ['__Poly8_t', 'unsigned char'],
  ['__Poly16_t', 'unsigned short'],
  ['__Poly64_t', 'unsigned long long'],
  ['__Poly128_t', 'unsigned __int128'],
]);

/**
 * Prints definitions of types in C, each once and in an order that compiles, after libbpf's btf_dump. One printer belongs to
 * one C file: it remembers what it has defined and which names are taken.
 */
export class CPrinter {
  readonly #btf: Btf;
  readonly #order: EmitOrder;
  readonly #enumModes: boolean;
  readonly #names = new CNames();
  readonly #states: (EmitState | undefined)[] = ['emitted'];
  readonly #declared = new Set<number>();
  #text: string[] = [];
  #depth = 0;

  /** `enumModes` asks for attributes without which compilers give an enum of 1 or 8 bytes another size. */
  constructor(btf: Btf, enumModes: boolean) {
    this.#btf = btf;
    this.#enumModes = enumModes;
    this.#order = new EmitOrder(btf);
  }

  /** The definition of type `id` after all those it needs; empty where all are there. Cycles are an ELOOP `BpfError`. */
  define(id: number): string {
    this.#text = [];
    for (const each of this.#order.take(id)) this.#emit(each, 0);
    return this.#text.join('');
  }

  /** `int (*name)[3]` for a type and a name. */
  declaration(id: number, name: string): string {
    this.#text = [];
    this.#declare(id, name, 0);
    return this.#text.join('');
  }

  /** `container` is the definition that is being prepared, 0 at top level. */
  #emit(id: number, container: number): void {
    if (this.#depth > MAX_C_DEPTH) throw typeCycle(id);
    this.#depth++;
    try {
      if (this.#states[id] === 'emitting') this.#emitAgain(this.#btf.byId(id), container);
      else if (this.#states[id] === undefined) this.#emitNew(this.#btf.byId(id), container);
    } finally {
      this.#depth--;
    }
  }

  /** What is being defined is needed for its definition: a declaration has to do. */
  #emitAgain(type: BtfType, container: number): void {
    if (this.#declared.has(type.id)) return;
    if (isComposite(type)) {
      if (type.id === container || type.name === '') return;
      this.#push(this.#tag(type), ';\n\n');
      this.#declared.add(type.id);
    } else if (type.kind === 'typedef') {
      this.#typedef(type.id);
    }
  }

  #emitNew(type: BtfType, container: number): void {
    const { id } = type;
    switch (type.kind) {
      case 'int': {
        // Takes the name, although integers are printed by their own: so does libbpf.
        const name = this.#names.of(type);
        const missing = MISSING_TYPES.get(name);
        if (missing !== undefined) this.#push(`typedef ${missing} ${name};\n\n`);
        this.#states[id] = 'emitted';
        return;
      }
      case 'enum':
      case 'enum64':
        if (container === 0) {
          this.#enum(type, 0);
          this.#push(';\n\n');
        }
        this.#states[id] = 'emitted';
        return;
      case 'ptr':
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type_tag':
        this.#emit(type.type, container);
        return;
      case 'array':
        this.#emit(type.elementType, container);
        return;
      case 'fwd':
        this.#push(this.#tag(type), ';\n\n');
        this.#states[id] = 'emitted';
        return;
      case 'typedef':
        this.#states[id] = 'emitting';
        this.#emit(type.type, id);
        if (!this.#declared.has(id)) this.#typedef(id);
        this.#states[id] = 'emitted';
        return;
      case 'struct':
      case 'union':
        this.#emitComposite(type, container);
        return;
      case 'func_proto':
        this.#emit(type.returnType, container);
        for (const param of type.params) this.#emit(param.type, container);
        return;
      default:
    }
  }

  #emitComposite(type: BtfComposite, container: number): void {
    const { id, name, members } = type;
    const isTop = container === 0;
    this.#states[id] = 'emitting';
    if (isTop || name === '') {
      for (const member of members) this.#emit(member.type, name === '' ? container : id);
    } else if (!this.#declared.has(id) && id !== container) {
      this.#push(this.#tag(type), ';\n\n');
      this.#declared.add(id);
    }
    if (isTop) {
      this.#composite(type, 0);
      this.#push(';\n\n');
    }
    this.#states[id] = isTop ? 'emitted' : undefined;
  }

  #typedef(id: number): void {
    const type = this.#btf.byId(id);
    this.#declared.add(id);
    if (type.kind !== 'typedef' || type.name === '__builtin_va_list') return;
    const name = this.#names.of(type);
    // Old GCC describes it as void.
    if (type.type === 0 && name === '__gnuc_va_list') this.#push('typedef __builtin_va_list __gnuc_va_list');
    else {
      this.#push('typedef ');
      this.#declare(type.type, name, 0);
    }
    this.#push(';\n\n');
  }

  /** `struct name`, `union name`, `enum name`. */
  #tag(type: BtfType): string {
    const word = type.kind === 'fwd' ? (type.union ? 'union' : 'struct') : type.kind === 'enum64' ? 'enum' : type.kind;
    const name = this.#names.of(type);
    return name === '' && type.kind !== 'fwd' ? word : `${word} ${name}`;
  }

  #composite(type: BtfComposite, level: number): void {
    const { members, size } = type;
    const isStruct = type.kind === 'struct';
    const packed = isStruct && isPacked(this.#btf, type);
    const indent = `\n${'\t'.repeat(level + 1)}`;
    this.#push(this.#tag(type), ' {');
    let [end, afterBitfield] = [0, false];
    for (const { name, type: id, bitOffset, bitSize } of members) {
      const alignment = packed ? 1 : this.#btf.alignmentOf(id);
      const inBitfield = afterBitfield && bitSize > 0;
      this.#pad({ from: end, to: bitOffset, alignment, inBitfield }, indent);
      this.#push(indent);
      this.#declare(id, name, level + 1);
      afterBitfield = bitSize > 0;
      end = bitOffset + (afterBitfield ? bitSize : 8 * this.#btf.sizeOf(id));
      this.#push(afterBitfield ? `: ${bitSize};` : ';');
    }
    if (isStruct) {
      const alignment = packed ? 1 : this.#btf.alignmentOf(type.id);
      this.#pad({ from: end, to: 8 * size, alignment, inBitfield: false }, indent);
    }
    this.#push(members.length > 0 || size > 0 ? `\n${'\t'.repeat(level)}}` : '}');
    if (packed) this.#push(' __attribute__((packed))');
  }

  #pad(gap: Parameters<typeof padding>[0], indent: string): void {
    for (const field of padding(gap, 8 * this.#btf.pointerSize)) this.#push(indent, field, ';');
  }

  #enum(type: BtfEnum, level: number): void {
    this.#push(this.#tag(type));
    if (type.values.length === 0) return;
    const suffix = type.kind === 'enum' ? '' : type.signed ? 'LL' : 'ULL';
    this.#push(' {');
    for (const { name, value } of type.values)
      this.#push(`\n${'\t'.repeat(level + 1)}${this.#names.enumerator(name)} = ${value}${suffix},`);
    this.#push(`\n${'\t'.repeat(level)}}`);
    if (this.#enumModes) this.#push(enumMode(type, this.#btf.pointerSize));
  }

  /** A type with a name, which C writes around each other. */
  #declare(id: number, name: string, level: number): void {
    this.#chain(this.#declarators(id), name, level);
  }

  /** The types from the outermost declarator to what is at the bottom. */
  #declarators(first: number): number[] {
    const chain: number[] = [];
    for (let id = first; ;) {
      if (chain.length > MAX_C_DEPTH) throw typeCycle(first);
      chain.push(id);
      const type = this.#btf.byId(id);
      switch (type.kind) {
        case 'ptr':
        case 'volatile':
        case 'const':
        case 'restrict':
        case 'type_tag':
          id = type.type;
          break;
        case 'func_proto':
          id = type.returnType;
          break;
        case 'array':
          id = type.elementType;
          break;
        default:
          return chain;
      }
    }
  }

  /** Prints a chain of declarators from its end, which it takes away as it goes. */
  #chain(chain: number[], name: string, level: number): void {
    let afterPointer = true;
    for (let id = chain.pop(); id !== undefined; id = chain.pop()) {
      const type = this.#btf.byId(id);
      switch (type.kind) {
        case 'ptr':
          this.#push(afterPointer ? '*' : ' *');
          break;
        case 'volatile':
        case 'const':
        case 'restrict':
          this.#push(` ${type.kind}`);
          break;
        case 'type_tag':
          this.#modifiers(chain);
          this.#push(` __attribute__((${type.attribute === true ? type.name : `btf_type_tag("${type.name}")`}))`);
          break;
        case 'array':
          this.#array(type.count, chain, name, level, afterPointer);
          return;
        case 'func_proto':
          this.#prototype(type, chain, name, level, afterPointer);
          return;
        default:
          this.#modifiers(chain);
          this.#base(type, level);
      }
      afterPointer = type.kind === 'ptr';
    }
    this.#name(name, afterPointer);
  }

  #base(type: BtfType, level: number): void {
    switch (type.kind) {
      case 'void':
        this.#push('void');
        return;
      case 'struct':
      case 'union':
        if (type.name === '') this.#nested(type, level);
        else this.#push(this.#tag(type));
        return;
      case 'enum':
      case 'enum64':
        if (type.name === '') this.#enum(type, level);
        else this.#push(this.#tag(type));
        return;
      case 'fwd':
        this.#push(this.#tag(type));
        return;
      case 'typedef':
        this.#push(this.#names.of(type));
        return;
      default:
        this.#push(type.name);
    }
  }

  /** An anonymous struct or union where it is used. */
  #nested(type: BtfComposite, level: number): void {
    if (level > MAX_C_DEPTH) throw typeCycle(type.id);
    this.#composite(type, level);
  }

  /** Qualifiers of a base type come before it. */
  #modifiers(chain: number[]): void {
    for (let type = this.#last(chain); type !== undefined; type = this.#last(chain)) {
      if (type.kind !== 'volatile' && type.kind !== 'const' && type.kind !== 'restrict') return;
      this.#push(`${type.kind} `);
      chain.pop();
    }
  }

  /** GCC qualifies arrays and functions, too, where C cannot say so. */
  #dropModifiers(chain: number[]): void {
    for (let type = this.#last(chain); type !== undefined; type = this.#last(chain)) {
      if (type.kind !== 'volatile' && type.kind !== 'const' && type.kind !== 'restrict' && type.kind !== 'type_tag')
        return;
      chain.pop();
    }
  }

  #last(chain: readonly number[]): BtfType | undefined {
    const id = chain.at(-1);
    return id === undefined ? undefined : this.#btf.byId(id);
  }

  #array(count: number, chain: number[], name: string, level: number, afterPointer: boolean): void {
    this.#dropModifiers(chain);
    const outer = this.#last(chain);
    if (outer === undefined) {
      this.#name(name, afterPointer);
      this.#push(`[${count}]`);
      return;
    }
    if (name !== '' && !afterPointer) this.#push(' ');
    const isMatrix = outer.kind === 'array';
    if (!isMatrix) this.#push('(');
    this.#chain(chain, name, level);
    this.#push(isMatrix ? `[${count}]` : `)[${count}]`);
  }

  #prototype(type: BtfFuncProto, chain: number[], name: string, level: number, afterPointer: boolean): void {
    this.#dropModifiers(chain);
    if (chain.length > 0) {
      this.#push(' (');
      this.#chain(chain, name, level);
      this.#push(')');
    } else this.#name(name, afterPointer);
    this.#push('(');
    const { params } = type;
    if (params.length === 0 || (params.length === 1 && params[0].type === 0)) this.#push('void');
    else {
      params.forEach((param, i) => {
        if (i > 0) this.#push(', ');
        if (i === params.length - 1 && param.type === 0) this.#push('...');
        else this.#parameter(param.type, param.name, level);
      });
    }
    this.#push(')');
  }

  #parameter(id: number, name: string, level: number): void {
    if (this.#depth > MAX_C_DEPTH) throw typeCycle(id);
    this.#depth++;
    this.#declare(id, name, level);
    this.#depth--;
  }

  #name(name: string, afterPointer: boolean): void {
    this.#push(name !== '' && !afterPointer ? ` ${name}` : name);
  }

  #push(...text: readonly string[]): void {
    this.#text.push(...text);
  }
}

/** The attribute without which the compiler would choose another size. */
function enumMode({ kind, size, values }: BtfEnum, pointerSize: number): string {
  if (size === 1) return ' __attribute__((mode(byte)))';
  if (size !== 8 || pointerSize !== 8) return '';
  const isWide = kind === 'enum64' && values.some(({ value }) => BigInt.asUintN(64, value) >> 32n !== 0n);
  return isWide ? '' : ' __attribute__((mode(word)))';
}
