import { BpfError } from '../../base/index.js';
import type { Btf, BtfDatasec, BtfExt } from '../../btf/index.js';
import { SECTION_EXECUTABLE, SectionType } from '../elf/elf-constants.js';
import type { ElfFile } from '../elf/elf-file.js';
import type { ElfSection } from '../elf/elf-headers.js';
import { readObjectFile } from '../object-file.js';

/** One of the files that are linked. */
export interface InputObject {
  readonly name: string;
  readonly elf: ElfFile;
  readonly btf: Btf | null;
  readonly btfExt: BtfExt | null;
  /** Datasecs by name, with the offsets that the symbols have. */
  readonly datasecs: ReadonlyMap<string, BtfDatasec>;
}

/** Reads a file; a `BpfError` names the file it comes from. */
export function readInput(name: string, bytes: Uint8Array): InputObject {
  try {
    const { elf, btf, btfExt } = readObjectFile(bytes);
    return { name, elf, btf, btfExt, datasecs: datasecsOf(btf) };
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    throw new BpfError(error.code, `linking ${name}: ${error.what}`, { ...error.detail, cause: error });
  }
}

function datasecsOf(btf: Btf | null): Map<string, BtfDatasec> {
  const datasecs = new Map<string, BtfDatasec>();
  for (const type of btf ?? []) if (type.kind === 'datasec') datasecs.set(type.name, type);
  return datasecs;
}

/** Whether the sections of that kind are merged: code, data, and all else that programs or the loader look at. */
export function isMerged(section: ElfSection): boolean {
  const { name, type, flags, size } = section;
  if (type !== SectionType.PROGBITS && type !== SectionType.NOBITS) return false;
  if (name === '.BTF' || name === '.BTF.ext' || name.startsWith('.debug_')) return false;
  return !(name === '.text' && (flags & SECTION_EXECUTABLE) !== 0 && size === 0);
}
