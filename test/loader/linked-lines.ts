import { BpfError } from '../../src/base/index.js';
import type { Btf } from '../../src/btf/index.js';
import type { SymbolTable } from '../../src/host/index.js';
import { type CollectionSpec, dumpLinked, Linker } from '../../src/loader/index.js';
import { parseObject } from './objects.js';

/** One line per program, in the form and order of libbpf-linked. */
export function linkedLines(file: string, btf: Btf, kallsyms?: SymbolTable): string[] {
  return linesOf(parseObject(file), file, btf, kallsyms);
}

/** The same of an object that is not among those of the tests. */
export function linesOf(spec: CollectionSpec, file: string, btf: Btf, kallsyms?: SymbolTable): string[] {
  const options = kallsyms === undefined ? { btf } : { btf, kallsyms };
  return inLoadOrder(spec, new Linker(spec, options)).map((name) => {
    try {
      return JSON.stringify(dumpLinked(spec, file, { ...options, programs: [name] })[0]);
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      const section = spec.program(name)?.section;
      return JSON.stringify({ program: name, section, file, error: -error.errno });
    }
  });
}

/** Programs that are loaded by default come first, if all of them link. */
function inLoadOrder(spec: CollectionSpec, linker: Linker): string[] {
  const links = (name: string): boolean => {
    try {
      linker.link(spec.program(name) as CollectionSpec['programs'][number]);
      return true;
    } catch {
      return false;
    }
  };
  const names = spec.programs.map(({ name }) => name);
  const byDefault = spec.programs.filter(({ autoload }) => autoload).map(({ name }) => name);
  return byDefault.every(links) ? [...byDefault, ...names.filter((name) => !byDefault.includes(name))] : names;
}
