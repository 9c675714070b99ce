import { BpfError, ByteReader } from '../../../base/index.js';

const HEADER = 64;
const EM_X86_64 = 62;
const ET_EXEC = 2;
const ET_DYN = 3;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SYMBOL = 24;
const SECTION = 64;
const STT_OBJECT = 1;
const STT_FUNC = 2;

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/**
 * The symbols of a program for the simulated machine, one a line as in the image: address, size, type, name. ELF files
 * of another machine or kind are ENOEXEC, those whose tables lead out of the file EINVAL with the offset.
 */
export function programSymbols(bytes: Uint8Array, path: string): string {
  const refuse = (offset: number, what: string, remedy: string): never => {
    throw new BpfError('ENOEXEC', `${path}: ${what}`, { offset, remedy });
  };
  if (bytes.length < HEADER) refuse(bytes.length, 'an ELF file that ends in its header', 'give the whole file');
  if (bytes[4] !== 2 || bytes[5] !== 1) refuse(4, 'no ELF file of 64 bits, little-endian', 'build it for x86_64');
  const file = new ByteReader(bytes, true, path);
  if (file.u16(18) !== EM_X86_64) refuse(18, 'an ELF file of another machine', 'build it for x86_64');
  if (file.u16(16) !== ET_EXEC && file.u16(16) !== ET_DYN)
    refuse(16, 'an ELF file that is no program', 'link it; objects do not run');
  const tables = sectionsOf(file).filter(({ type }) => type === SHT_SYMTAB || type === SHT_DYNSYM);
  const table = tables.find(({ type }) => type === SHT_SYMTAB) ?? tables[0];
  return table === undefined ? '' : symbolLines(file, table).join('\n');
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

function sectionAt(file: ByteReader, index: number): Section {
  const at = file.size64(40, 'the offset of the section headers') + index * SECTION;
  return {
    type: file.u32(at + 4),
    offset: file.size64(at + 24, 'the offset of a section'),
    size: file.size64(at + 32, 'the size of a section'),
    link: file.u32(at + 40),
  };
}

function sectionsOf(file: ByteReader): Section[] {
  return Array.from({ length: file.u16(60) }, (_, i) => sectionAt(file, i));
}

function symbolLines(file: ByteReader, table: Section): string[] {
  const names = sectionAt(file, table.link);
  const lines: string[] = [];
  for (let at = table.offset; at + SYMBOL <= table.offset + table.size; at += SYMBOL) {
    const kind = file.u8(at + 4) & 15;
    const address = file.u64(at + 8);
    if ((kind !== STT_FUNC && kind !== STT_OBJECT) || file.u16(at + 6) === 0) continue;
    const name = nameAt(file, names.offset + file.u32(at), names.offset + names.size);
    const type = kind === STT_FUNC ? 'T' : 'D';
    if (name !== '') lines.push(`${address.toString(16)} ${file.u64(at + 16).toString(16)} ${type} ${name}`);
  }
  return lines;
}

/** Up to its NUL; names with blanks, which a line cannot hold, are left out. */
function nameAt(file: ByteReader, from: number, end: number): string {
  let name = '';
  for (let at = from; at < end; at++) {
    const byte = file.u8(at);
    if (byte === 0) return /^[\x21-\x7e]+$/.test(name) ? name : '';
    name += String.fromCharCode(byte);
  }
  return '';
}
