import { BpfError } from '../../base/index.js';
import { type Btf, type BtfFunc, essentialName, typesAreCompatible } from '../../btf/index.js';
import type { SymbolTable } from '../../host/index.js';
import type { ExternSpec } from '../externs.js';

/** Where a kernel symbol was found: as a typed thing, or as an address. Null: a weak one is absent. */
export type KernelSymbolPlace = TypedPlace | { readonly address: bigint } | null;

export interface TypedPlace {
  readonly btfId: number;
  /** It is in the types of the runtime's kernel functions and not in the kernel's, as one of a module is. */
  readonly isRuntimes: boolean;
}

export interface KernelSymbolSources {
  /** Types of the object, and of the kernel. */
  readonly local: Btf;
  readonly target: Btf | null;
  /** Without a table, symbols of which only the address counts are 0. */
  readonly kallsyms: SymbolTable | undefined;
  /** Prototypes of the kernel functions that the runtime has, where it is known which one that will be. Made when asked for. */
  readonly kfuncs: () => Btf | undefined;
}

/** Finds a __ksym extern. Strong ones that are missing, and ones of another type, are ESRCH and EINVAL `BpfError`s. */
export function findKernelSymbol(symbol: ExternSpec, sources: KernelSymbolSources): KernelSymbolPlace {
  if (symbol.typeId === 0) return findAddress(symbol, sources.kallsyms);
  const kfuncs = symbol.kind === 'ksym_function' ? sources.kfuncs() : undefined;
  return kfuncs === undefined ? findTyped(symbol, sources) : findRuntimes(symbol, sources, kfuncs);
}

function findAddress(symbol: ExternSpec, kallsyms: SymbolTable | undefined): KernelSymbolPlace {
  if (kallsyms === undefined) return { address: 0n };
  const addresses = new Set(kallsyms.lookupAll(symbol.name).map((found) => found.address));
  if (addresses.size > 1) {
    throw new BpfError('EINVAL', `kernel symbol ${symbol.name} has several addresses`, {
      value: [...addresses].map((address) => `0x${address.toString(16)}`).join(', '),
      remedy: 'choose a symbol that is unique',
    });
  }
  const [address] = addresses;
  return address === undefined ? absent(symbol, 'the symbol table') : { address };
}

function findTyped(symbol: ExternSpec, { local, target }: KernelSymbolSources): KernelSymbolPlace {
  if (target === null) return absent(symbol, 'the kernel: its BTF is not given');
  const found =
    symbol.kind === 'ksym_function'
      ? target.findByName(essentialName(symbol.name), 'func')
      : target.findByName(symbol.name, 'var');
  if (found === undefined) return absent(symbol, 'the kernel’s BTF');
  if (typesAreCompatible(local, symbol.typeId, target, target.resolve(found.type).id))
    return { btfId: found.id, isRuntimes: false };
  if (symbol.weak && symbol.kind === 'ksym_function') return null;
  throw ofOtherType(symbol, target, found.type);
}

/** A function that the runtime has is the kernel's by its number, if that has it too; weak ones that the runtime lacks are absent. */
function findRuntimes(symbol: ExternSpec, sources: KernelSymbolSources, kfuncs: Btf): KernelSymbolPlace {
  const { local, target } = sources;
  const name = essentialName(symbol.name);
  const own = kfuncs.idsByName(name).find((id) => id >= kfuncs.firstId && kfuncs.kindOf(id) === 'func');
  if (own === undefined) return symbol.weak ? null : findTyped(symbol, sources);
  const { type } = kfuncs.byId(own) as BtfFunc;
  if (!typesAreCompatible(local, symbol.typeId, kfuncs, kfuncs.resolve(type).id)) {
    if (symbol.weak) return null;
    throw ofOtherType(symbol, kfuncs, type);
  }
  const kernels = target?.findByName(name, 'func');
  return kernels === undefined ? { btfId: own, isRuntimes: true } : { btfId: kernels.id, isRuntimes: false };
}

function ofOtherType(symbol: ExternSpec, target: Btf, type: number): BpfError {
  return new BpfError('EINVAL', `kernel symbol ${symbol.name} is of another type in the kernel`, {
    value: `${target.kindOf(type)} [${type}]`,
    remedy: 'declare it as the kernel does',
  });
}

function absent(symbol: ExternSpec, where: string): null {
  if (symbol.weak) return null;
  throw new BpfError('ESRCH', `kernel symbol ${symbol.name} is not in ${where}`, {
    value: symbol.name,
    remedy: 'declare it __weak if the program can do without',
  });
}
