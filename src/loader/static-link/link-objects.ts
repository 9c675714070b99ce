import { BpfError } from '../../base/index.js';
import { encodeBtf } from '../../btf/index.js';
import { INSN_SIZE } from '../../runtime/index.js';
import { SECTION_EXECUTABLE, SectionType, SymbolType } from '../elf/elf-constants.js';
import type { ElfRelocation } from '../elf/elf-relocations.js';
import { type OutputRelocations, type OutputSection, writeElf } from './elf-writer.js';
import { MergedSymbols } from './global-symbols.js';
import { type InputObject, readInput } from './input-object.js';
import { type MergedSection, MergedSections, type SectionPlace } from './merged-sections.js';
import { MergedTypes } from './merged-types.js';

/** A file to be linked. */
export interface ObjectInput {
  /** For messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Links objects into one, as `bpftool gen object` does: sections of one name follow each other, what one object declares and
 * another defines becomes one, weak definitions give way, types are merged. What does not fit (a name defined twice,
 * declarations that differ, another licence) is an EINVAL `BpfError` that names the objects.
 */
export function linkObjects(objects: readonly ObjectInput[]): Uint8Array {
  if (objects.length === 0) throw new TypeError('there is nothing to link');
  const inputs = objects.map(({ name, bytes }) => readInput(name, bytes));
  const { littleEndian } = inputs[0].elf;
  for (const input of inputs) checkInput(input, inputs[0]);
  const sections = new MergedSections();
  const symbols = new MergedSymbols();
  const placed = inputs.map((input) => {
    const places = sections.add(input);
    return { input, places, positions: symbols.add(input, places) };
  });
  const relocations = new Map<MergedSection, OutputRelocations['entries'][number][]>();
  for (const each of placed) relocate(each, relocations);
  const output: OutputSection[] = sections.all.map((section) => ({ ...section, bytes: sections.bytesOf(section) }));
  const hasTypes = inputs.some(({ btf }) => btf !== null);
  if (hasTypes) output.push(...typeSections(new MergedTypes(placed, sections, symbols, littleEndian), littleEndian));
  return writeElf({
    littleEndian,
    sections: output,
    symbols: symbols.output(),
    relocations: [...relocations].map(([{ position }, entries]) => ({ section: position, entries })),
  });
}

function checkInput(input: InputObject, first: InputObject): void {
  if (input.elf.littleEndian !== first.elf.littleEndian) {
    throw new BpfError('EINVAL', `linking ${input.name}: its byte order is not that of ${first.name}`, {
      section: 'ELF file',
      offset: 5,
      value: input.elf.littleEndian ? 'little-endian' : 'big-endian',
      remedy: 'compile all objects for one target, bpfel or bpfeb',
    });
  }
  if ((input.btf === null) === (first.btf === null)) return;
  throw new BpfError('EINVAL', `linking ${input.name}: not all objects have BTF`, {
    section: '.BTF',
    value: (input.btf === null ? input : first).name,
    remedy: 'compile with -g',
  });
}

interface PlacedInput {
  readonly input: InputObject;
  readonly places: ReadonlyMap<number, SectionPlace>;
  readonly positions: ReadonlyMap<number, number>;
}

function relocate(placed: PlacedInput, relocations: Map<MergedSection, OutputRelocations['entries'][number][]>): void {
  const { input, places, positions } = placed;
  for (const [index, place] of places) {
    if (place.dropped) continue;
    for (const relocation of input.elf.relocationsOf(index)) {
      const { offset, type, symbol } = relocation;
      const position = positions.get(symbol.index);
      if (position === undefined) throw noSymbol(input, place, relocation);
      if (symbol.type === SymbolType.SECTION) moveAddend(placed, place, relocation);
      const entries = relocations.get(place.section) ?? [];
      relocations.set(place.section, entries);
      entries.push({ offset: offset + place.offset, type, symbol: position });
    }
  }
}

const OP_CALL = 0x85;

/** References to a section count from its start, which has moved: the instruction's immediate has the rest. */
function moveAddend({ input, places }: PlacedInput, place: SectionPlace, { offset, symbol }: ElfRelocation): void {
  const { section } = place;
  const moved = places.get(symbol.sectionIndex)?.offset ?? 0;
  const part = section.parts.find((each) => each.offset === place.offset);
  if ((section.flags & SECTION_EXECUTABLE) === 0 || part === undefined || offset + INSN_SIZE > part.bytes.length) {
    throw new BpfError(
      'EINVAL',
      `linking ${input.name}: section ${section.name} refers to a section, not to a symbol`,
      {
        section: section.name,
        offset,
        value: input.elf.sections[symbol.sectionIndex]?.name ?? symbol.sectionIndex,
        remedy: 'only code may: give what it refers to a name that is not static',
      },
    );
  }
  const insn = new DataView(part.bytes.buffer, part.bytes.byteOffset + offset, INSN_SIZE);
  const delta = insn.getUint8(0) === OP_CALL ? moved / INSN_SIZE : moved;
  const { littleEndian } = input.elf;
  insn.setInt32(4, insn.getInt32(4, littleEndian) + delta, littleEndian);
}

function noSymbol({ name }: InputObject, { section }: SectionPlace, { offset, symbol }: ElfRelocation): BpfError {
  return new BpfError('EINVAL', `linking ${name}: section ${section.name} refers to what is not linked`, {
    section: section.name,
    offset,
    value: symbol.name === '' ? symbol.index : symbol.name,
    remedy: 'the object file is corrupt, or refers to its licence',
  });
}

function typeSections(types: MergedTypes, littleEndian: boolean): OutputSection[] {
  const { btf, ext } = types.merge(littleEndian);
  const section = (name: string, bytes: Uint8Array): OutputSection => ({
    name,
    bytes,
    type: SectionType.PROGBITS,
    flags: 0,
    alignment: 4,
    entrySize: 0,
    size: bytes.length,
  });
  const base = section('.BTF', encodeBtf(btf));
  return ext.length === 0 ? [base] : [base, section('.BTF.ext', ext)];
}
