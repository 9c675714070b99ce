import { BpfError, ByteReader } from '../base/index.js';
import { SectionType } from './elf/elf-constants.js';
import { isLittleEndian, readSections } from './elf/elf-headers.js';

/** A view of one section of any 64-bit ELF file, such as the .BTF of a vmlinux. A missing section is an ENOENT `BpfError`. */
export function elfSection(bytes: Uint8Array, name: string): Uint8Array {
  const reader = new ByteReader(bytes, isLittleEndian(bytes), 'ELF file');
  const section = readSections(reader).find((each) => each.name === name && each.type !== SectionType.NOBITS);
  if (section !== undefined) return reader.slice(section.offset, section.size);
  throw new BpfError('ENOENT', 'ELF file lacks a section', {
    section: name,
    remedy: 'give a file that was built with it',
  });
}
