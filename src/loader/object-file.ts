import { BpfError } from '../base/index.js';
import { type Btf, type BtfDatasec, type BtfExt, type BtfSectionVar, parseBtf, parseBtfExt } from '../btf/index.js';
import { ElfFile } from './elf/elf-file.js';
import type { ElfSection } from './elf/elf-headers.js';
import type { ElfSymbol } from './elf/elf-symbols.js';

/** An ELF object with what its BTF sections say. */
export interface ObjectFile {
  readonly elf: ElfFile;
  /** Null for objects compiled without -g. */
  readonly btf: Btf | null;
  readonly btfExt: BtfExt | null;
}

/** Datasecs that hold externs, which have no place in the object. */
const EXTERN_SECTIONS: ReadonlySet<string> = new Set(['.kconfig', '.ksyms']);

/** Reads an object file. Corrupt input is a `BpfError`, what is no bytes at all a TypeError. */
export function readObjectFile(bytes: Uint8Array): ObjectFile {
  if (!ArrayBuffer.isView(bytes) || !('subarray' in bytes)) {
    throw new TypeError('an object file is given as its bytes, a Uint8Array such as readFileSync answers');
  }
  const elf = ElfFile.parse(bytes);
  const btfSection = elf.section('.BTF');
  if (btfSection === undefined) return { elf, btf: null, btfExt: null };
  const raw = parseBtf(elf.bytesOf(btfSection));
  if (raw.littleEndian !== elf.littleEndian) {
    throw new BpfError('EINVAL', 'BTF and ELF file differ in byte order', {
      section: '.BTF',
      offset: btfSection.offset,
      remedy: 'the object file is corrupt',
    });
  }
  const btf = raw.withDatasecs(placeVariables(elf, raw));
  const extSection = elf.section('.BTF.ext');
  return { elf, btf, btfExt: extSection === undefined ? null : parseBtfExt(elf.bytesOf(extSection), btf) };
}

/** Datasecs with sizes, and variables in the order of the offsets that their symbols have. */
function placeVariables(elf: ElfFile, btf: Btf): BtfDatasec[] {
  const globals = new Map(elf.symbols.filter(isVariable).map((symbol) => [symbol.name, symbol]));
  const placed: BtfDatasec[] = [];
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kindOf(id) !== 'datasec') continue;
    const datasec = btf.byId(id) as BtfDatasec;
    const section = elf.section(datasec.name);
    if (section === undefined || EXTERN_SECTIONS.has(datasec.name)) continue;
    placed.push(placeDatasec(btf, datasec, section, globals));
  }
  return placed;
}

function isVariable(symbol: ElfSymbol): boolean {
  return symbol.sectionIndex !== 0 && symbol.name !== '' && symbol.binding !== 0;
}

/** A size that is already there tells of a static linker that has placed the variables, too. */
function placeDatasec(
  btf: Btf,
  datasec: BtfDatasec,
  section: ElfSection,
  globals: ReadonlyMap<string, ElfSymbol>,
): BtfDatasec {
  const isPlaced = datasec.size !== 0;
  const vars = datasec.vars.map((variable): BtfSectionVar => {
    const type = btf.byId(variable.type);
    if (type.kind !== 'var') throw corrupt(`BTF section ${datasec.name} holds a ${type.kind}`, variable.type);
    if (isPlaced || type.linkage !== 'global') return variable;
    const symbol = globals.get(type.name);
    if (symbol === undefined)
      throw corrupt(`variable ${type.name} of BTF section ${datasec.name} has no symbol`, variable.type);
    return { ...variable, offset: symbol.value };
  });
  return {
    ...datasec,
    size: isPlaced ? datasec.size : section.size,
    vars: vars.toSorted((a, b) => a.offset - b.offset),
  };
}

function corrupt(what: string, value: number): BpfError {
  return new BpfError('EINVAL', what, {
    section: '.BTF',
    value,
    remedy: 'the object file is corrupt or was stripped of symbols',
  });
}
