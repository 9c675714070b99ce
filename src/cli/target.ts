import { type Btf, parseBtf } from '../btf/index.js';
import { createSim, type SimHost } from '../host/sim/index.js';
import { parseKallsyms, type SymbolTable } from '../host/index.js';
import { elfSection } from '../loader/index.js';
import type { CliIo } from './io.js';

/** The kernel that objects are linked for. */
export interface LinkTarget {
  readonly btf: Btf | null;
  readonly kallsyms?: SymbolTable;
}

/** The simulator's kernel (of `host`, if there is one already), or the one whose BTF and symbols the files hold. */
export function linkTarget(
  options: { readonly btf?: string; readonly kallsyms?: string },
  io: CliIo,
  host?: SimHost,
): LinkTarget {
  const kallsyms = options.kallsyms === undefined ? undefined : readKallsyms(options.kallsyms, io);
  if (options.btf !== undefined) {
    return { btf: readBtfFile(io.readFile(options.btf)), ...(kallsyms === undefined ? {} : { kallsyms }) };
  }
  const sim = host ?? createSim({});
  return { btf: sim.btf, kallsyms: kallsyms ?? sim.symbols };
}

/** Raw BTF as in /sys/kernel/btf, or an ELF file with a .BTF section; of a module with its kernel's as `base`. */
export function readBtfFile(bytes: Uint8Array, base?: Btf): Btf {
  const isElf = bytes[0] === 0x7f && bytes[1] === 0x45;
  return parseBtf(isElf ? elfSection(bytes, '.BTF') : bytes, base);
}

function readKallsyms(path: string, io: CliIo): SymbolTable {
  return parseKallsyms(new TextDecoder().decode(io.readFile(path)));
}
