import { BpfError, roundUp } from '../base/index.js';
import type { Btf, BtfFunc, BtfVar } from '../btf/index.js';
import { SymbolBinding, SymbolType } from './elf/elf-constants.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfSymbol } from './elf/elf-symbols.js';
import { kconfigTypeOf } from './kconfig-type.js';

/** Something the object expects of the kernel: a configuration value, a kernel variable or a kernel function. */
export interface ExternSpec {
  readonly name: string;
  readonly kind: 'kconfig' | 'ksym_variable' | 'ksym_function';
  /** Weak externs may be absent and then count as 0. */
  readonly weak: boolean;
  /** Type without qualifiers in the object's BTF; 0 (void) for kernel symbols of which only the address counts. */
  readonly typeId: number;
  /** Place in the .kconfig map. */
  readonly offset: number;
  readonly size: number;
}

/** An object's externs in libbpf's order, which numbers them in poisoned calls. */
export class ExternTable {
  readonly all: readonly ExternSpec[];
  /** Bytes of the .kconfig map. */
  readonly kconfigSize: number;
  readonly #byName: ReadonlyMap<string, number>;

  constructor(elf: ElfFile, btf: Btf | null) {
    const sections = btf === null ? new Map<number, string>() : externSections(btf);
    const sorted = elf.symbols
      .filter(isExtern)
      .map((symbol) => describe(symbol, btf, sections))
      .toSorted(compare);
    const [all, kconfigSize] = placeKconfig(sorted);
    this.all = all;
    this.kconfigSize = kconfigSize;
    this.#byName = new Map(all.map((each, i) => [each.name, i]));
  }

  /** The object's types with the externs of .kconfig where they are in its map: compilers leave them all at 0. */
  placeIn(btf: Btf): Btf {
    const section = btf.findByName('.kconfig', 'datasec');
    if (section === undefined || this.kconfigSize === 0) return btf;
    const vars = section.vars.map((variable) => {
      const extern = this.all[this.indexOf(btf.nameOf(variable.type))];
      return extern?.kind === 'kconfig' ? { ...variable, offset: extern.offset } : variable;
    });
    return btf.withDatasecs([{ ...section, size: this.kconfigSize, vars }]);
  }

  /** Position of an extern, or -1. */
  indexOf(name: string): number {
    return this.#byName.get(name) ?? -1;
  }
}

export function isExtern(symbol: ElfSymbol): boolean {
  return (
    symbol.sectionIndex === 0 &&
    symbol.name !== '' &&
    symbol.type === SymbolType.NOTYPE &&
    (symbol.binding === SymbolBinding.GLOBAL || symbol.binding === SymbolBinding.WEAK)
  );
}

type Described = ExternSpec & { readonly alignment: number };

function describe(symbol: ElfSymbol, btf: Btf | null, sections: ReadonlyMap<number, string>): Described {
  const declaration = btf === null ? undefined : findDeclaration(btf, symbol.name);
  if (btf === null || declaration === undefined)
    throw unknownExtern(symbol, 'it has no declaration in BTF; compile with -g');
  const section = sections.get(declaration.id);
  const base = { name: symbol.name, weak: symbol.binding === SymbolBinding.WEAK, offset: 0, size: 0, alignment: 1 };
  if (section === '.ksyms') {
    const kind = declaration.kind === 'func' ? 'ksym_function' : 'ksym_variable';
    return { ...base, kind, typeId: btf.resolve(declaration.type).id };
  }
  if (section === '.kconfig' && declaration.kind === 'var') {
    const { type } = declaration;
    checkKconfig(btf, symbol.name, type);
    return {
      ...base,
      kind: 'kconfig',
      typeId: btf.resolve(type).id,
      size: btf.sizeOf(type),
      alignment: btf.alignmentOf(type),
    };
  }
  throw unknownExtern(symbol, 'declare it with __ksym, or a variable with __kconfig');
}

/** Configuration values are of a few kinds. */
function checkKconfig(btf: Btf, name: string, type: number): void {
  if (kconfigTypeOf(btf, type).kind === 'unknown') {
    throw new BpfError('EOPNOTSUPP', `kernel configuration value ${name} is of a type that none has`, {
      section: '.kconfig',
      value: btf.kindOf(btf.resolve(type).id),
      remedy: 'declare a bool, enum libbpf_tristate, integer, char or array of char',
    });
  }
}

function findDeclaration(btf: Btf, name: string): BtfVar | BtfFunc | undefined {
  for (const id of btf.idsByName(name)) {
    const type = btf.byId(id);
    if ((type.kind === 'var' || type.kind === 'func') && type.linkage === 'extern') return type;
  }
  return undefined;
}

/** Names of the sections that declare externs, by the declaration's id. */
function externSections(btf: Btf): Map<number, string> {
  const sections = new Map<number, string>();
  for (const name of ['.kconfig', '.ksyms']) {
    for (const variable of btf.findByName(name, 'datasec')?.vars ?? []) sections.set(variable.type, name);
  }
  return sections;
}

/** Configuration first, by falling alignment and rising size; then by name. */
function compare(a: Described, b: Described): number {
  const byKind = Number(b.kind === 'kconfig') - Number(a.kind === 'kconfig');
  return byKind || b.alignment - a.alignment || a.size - b.size || (a.name < b.name ? -1 : 1);
}

function placeKconfig(sorted: readonly Described[]): [ExternSpec[], number] {
  let end = 0;
  const placed = sorted.map((each): ExternSpec => {
    const { alignment, ...spec } = each;
    if (spec.kind !== 'kconfig') return spec;
    const offset = roundUp(end, alignment);
    end = offset + spec.size;
    return { ...spec, offset };
  });
  return [placed, end];
}

function unknownExtern(symbol: ElfSymbol, remedy: string): BpfError {
  return new BpfError('EINVAL', `cannot tell what the extern ${symbol.name} is`, {
    section: '.symtab',
    value: symbol.name,
    remedy,
  });
}
