import type { Btf } from '../btf.js';
import { BtfBuilder, type BtfBuilderOptions } from '../build/btf-builder.js';
import type { NewBtfType } from '../build/type-encoder.js';
import { deduplicateBtf } from '../dedup/deduplicate.js';
import type { BtfAnyDescription, BtfBits, BtfShape } from './descriptions.js';
import { layOut, type UnplacedMember } from './lay-out.js';

const TAG = /^(struct|union) (\w+)$/;
const INDEX: BtfShape = { kind: 'int', name: 'int', size: 4, encoding: 'signed' };

export interface DescribeBtfOptions extends BtfBuilderOptions {
  /** Bytes of a pointer on the target: 8, or 4. */
  readonly pointerSize?: 4 | 8;
}

/**
 * BTF of described types and all that they use, each once; see `btfType`. What a field cannot be (too many bits, a struct without
 * a size) is a `RangeError` or `TypeError`.
 */
export function describeBtf(types: readonly BtfAnyDescription[], options: DescribeBtfOptions = {}): Btf {
  const describer = new Describer(options);
  for (const { shape } of types) describer.add(shape);
  return describer.build();
}

interface Measure {
  readonly size: number;
  readonly align: number;
}

class Describer {
  readonly #builder: BtfBuilder;
  readonly #pointerSize: number;
  readonly #ids = new Map<BtfShape, number>();
  readonly #measures = new Map<BtfShape, Measure>();
  /** Structs and unions by C name. */
  readonly #tags = new Map<string, number>();

  constructor({ pointerSize = 8, ...options }: DescribeBtfOptions) {
    this.#builder = new BtfBuilder(options);
    this.#pointerSize = pointerSize;
    // Readers tell the size of pointers from that of `long`.
    this.add({ kind: 'int', name: 'long', size: pointerSize, encoding: 'signed' });
  }

  add(shape: BtfShape): number {
    const known = this.#ids.get(shape);
    if (known !== undefined) return known;
    const id = this.#addNew(shape);
    this.#ids.set(shape, id);
    return id;
  }

  /** Declarations stand for the structs of their names, which deduplication puts in their place. */
  build(): Btf {
    return deduplicateBtf(this.#builder.build()).btf;
  }

  #addNew(shape: BtfShape): number {
    switch (shape.kind) {
      case 'int': {
        const { kind, name, size, encoding } = shape;
        const flags = { signed: encoding === 'signed', char: encoding === 'char', bool: encoding === 'bool' };
        return this.#builder.add({ kind, name, size, bits: 8 * size, bitOffset: 0, ...flags });
      }
      case 'float':
        return this.#builder.add(shape);
      case 'ptr':
        return this.#builder.add({ kind: 'ptr', type: this.#target(shape.to) });
      case 'array': {
        const [elementType, indexType] = [this.add(shape.of.shape), this.#indexType()];
        return this.#builder.add({ kind: 'array', elementType, indexType, count: shape.count });
      }
      case 'struct':
      case 'union':
        return this.#composite(shape);
      case 'enum':
        return this.#builder.add(enumOf(shape));
      case 'typedef':
        return this.#builder.add({ kind: 'typedef', name: shape.name, type: this.add(shape.of.shape) });
      default:
        return this.#func(shape);
    }
  }

  #composite(shape: Extract<BtfShape, { kind: 'struct' | 'union' }>): number {
    const { kind, name, fields, packed } = shape;
    const members = Object.entries(fields).map(([field, given]) => this.#member(field, given));
    const placed = layOut(members, kind, packed);
    this.#measures.set(shape, placed);
    const id = this.#builder.add({ kind, name, size: placed.size, members: placed.members });
    if (name !== '') this.#tags.set(`${kind} ${name}`, id);
    return id;
  }

  #member(name: string, given: BtfAnyDescription | BtfBits<unknown>): UnplacedMember {
    const [{ shape }, bits] = 'bits' in given ? [given.of, given.bits] : [given, 0];
    const type = this.add(shape);
    const { size, align } = this.#measure(shape);
    if ('bits' in given && !(Number.isInteger(bits) && bits > 0 && bits <= 8 * size))
      throw new RangeError(`bit-field ${name} of ${bits} bits does not fit its type of ${8 * size}`);
    return { name, type, size, align, bits };
  }

  #measure(shape: BtfShape): Measure {
    switch (shape.kind) {
      case 'int':
      case 'float':
        return { size: shape.size, align: Math.min(shape.size, this.#pointerSize) };
      case 'ptr':
        return { size: this.#pointerSize, align: this.#pointerSize };
      case 'array': {
        const { size, align } = this.#measure(shape.of.shape);
        return { size: size * shape.count, align };
      }
      case 'enum': {
        const { size } = enumOf(shape);
        return { size, align: Math.min(size, this.#pointerSize) };
      }
      case 'typedef':
        return this.#measure(shape.of.shape);
      case 'func':
        throw new TypeError(`function ${shape.name} cannot be a member; a pointer to it can`);
      default:
        this.add(shape);
        return this.#measures.get(shape) ?? { size: 0, align: 1 };
    }
  }

  #target(to: BtfAnyDescription | string | null): number {
    if (to === null) return 0;
    if (typeof to !== 'string') return this.add(to.shape);
    if (!TAG.test(to)) throw new TypeError(`a pointer by name leads to "struct NAME" or "union NAME", not "${to}"`);
    return this.#tags.get(to) ?? this.#forward(to);
  }

  #forward(tag: string): number {
    const known = this.#tags.get(`fwd ${tag}`);
    if (known !== undefined) return known;
    const [, kind, name = ''] = TAG.exec(tag) ?? [];
    const id = this.#builder.add({ kind: 'fwd', name, union: kind === 'union' });
    this.#tags.set(`fwd ${tag}`, id);
    return id;
  }

  #func({ name, returns, params }: Extract<BtfShape, { kind: 'func' }>): number {
    const list = Object.entries(params).map(([param, { shape }]) => ({ name: param, type: this.add(shape) }));
    const returnType = returns === null ? 0 : this.add(returns.shape);
    const type = this.#builder.add({ kind: 'func_proto', returnType, params: list });
    return this.#builder.add({ kind: 'func', name, type, linkage: 'static' });
  }

  #indexType(): number {
    return this.add(INDEX);
  }
}

function enumOf({
  name,
  values,
}: Extract<BtfShape, { kind: 'enum' }>): Extract<NewBtfType, { kind: 'enum' | 'enum64' }> {
  const list = Object.entries(values).map(([each, number]) => ({ name: each, value: BigInt(number) }));
  const isWide = Object.values(values).some((number) => typeof number === 'bigint');
  const signed = list.some(({ value }) => value < 0n);
  const bits = isWide ? 64 : 32;
  const wrong = list.find(({ value }) => (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)) !== value);
  if (wrong !== undefined) throw new RangeError(`enumerator ${wrong.name} = ${wrong.value} does not fit ${bits} bits`);
  return { kind: isWide ? 'enum64' : 'enum', name, size: bits / 8, signed, values: list };
}
