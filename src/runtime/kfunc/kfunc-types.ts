import { type Btf, BtfBuilder } from '../../btf/index.js';
import type { Kfunc } from './kfunc.js';

/** Stands for a host without types. */
const NO_BASE = {};
const known = new WeakMap<object, WeakMap<ReadonlyMap<string, Kfunc>, Btf>>();

/**
 * The prototypes of kernel functions as split BTF of `base`, like that of a module: its structs are the base's where that has them.
 * Made once for each base.
 */
export function kfuncTypes(kfuncs: ReadonlyMap<string, Kfunc>, base: Btf | null): Btf {
  const key = base ?? NO_BASE;
  let ofBase = known.get(key);
  if (ofBase === undefined) known.set(key, (ofBase = new WeakMap()));
  let types = ofBase.get(kfuncs);
  if (types === undefined) ofBase.set(kfuncs, (types = new Prototypes(base).add([...kfuncs.values()])));
  return types;
}

const INTS: Readonly<Record<string, readonly [size: number, signed: boolean]>> = {
  char: [1, true],
  bool: [1, false],
  int: [4, true],
  s32: [4, true],
  u32: [4, false],
  'unsigned int': [4, false],
  u64: [8, false],
  size_t: [8, false],
};

/** Reads declarations of C as rows write them: integers, pointers, structs by name. */
class Prototypes {
  readonly #base: Btf | null;
  readonly #builder: BtfBuilder;
  readonly #ids = new Map<string, number>();

  constructor(base: Btf | null) {
    this.#base = base;
    this.#builder = new BtfBuilder(base === null ? {} : { base });
  }

  add(rows: readonly Kfunc[]): Btf {
    for (const { name, prototype } of rows) this.#function(name, prototype);
    return this.#builder.build();
  }

  #function(name: string, prototype: string): void {
    const open = prototype.indexOf('(');
    const returnType = this.#type(prototype.slice(0, open).replace(name, ''));
    const list = prototype.slice(open + 1, -1);
    const params = list === 'void' ? [] : list.split(',').map((param) => this.#param(param.trim()));
    const type = this.#builder.add({ kind: 'func_proto', returnType, params });
    this.#builder.add({ kind: 'func', name, type, linkage: 'static' });
  }

  #param(text: string): { readonly name: string; readonly type: number } {
    const name = /\w+$/.exec(text)?.[0] ?? '';
    return { name, type: this.#type(text.slice(0, text.length - name.length)) };
  }

  #type(text: string): number {
    const c = text.replaceAll(/\s+/g, ' ').trim();
    if (c === 'void') return 0;
    let id = this.#ids.get(c);
    if (id === undefined) this.#ids.set(c, (id = this.#newType(c)));
    return id;
  }

  #newType(c: string): number {
    if (c.endsWith('*')) return this.#builder.add({ kind: 'ptr', type: this.#type(c.slice(0, -1)) });
    if (c.startsWith('const ')) return this.#builder.add({ kind: 'const', type: this.#type(c.slice(6)) });
    if (c.startsWith('struct ')) return this.#struct(c.slice(7));
    const [size, signed] = INTS[c] ?? [];
    if (size === undefined || signed === undefined) throw new TypeError(`no type of prototypes is called ${c}`);
    const int = { kind: 'int', name: c, size, bits: 8 * size, bitOffset: 0, signed } as const;
    return this.#builder.add({ ...int, char: c === 'char', bool: c === 'bool' });
  }

  /** One that the kernel does not have is declared as programs see it: opaque. */
  #struct(name: string): number {
    const found = this.#base?.findByName(name, 'struct');
    return found?.id ?? this.#builder.add({ kind: 'struct', name, size: 0, members: [] });
  }
}
