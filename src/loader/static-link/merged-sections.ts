import { BpfError, roundUp } from '../../base/index.js';
import { SectionType } from '../elf/elf-constants.js';
import type { ElfSection } from '../elf/elf-headers.js';
import { MAX_FILE_BYTES } from './elf-writer.js';
import { type InputObject, isMerged } from './input-object.js';

/** A section of the output under way. */
export interface MergedSection {
  readonly position: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly entrySize: number;
  alignment: number;
  size: number;
  readonly parts: { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** Where a section of an input went: undefined offset where an equal one was there before. */
export interface SectionPlace {
  readonly section: MergedSection;
  readonly offset: number;
  readonly dropped: boolean;
}

/** Sections of which there is one, whatever the number of inputs. */
const SINGLE: readonly string[] = ['license', 'version'];

/** Puts sections of one name one after another, each at its own alignment. */
export class MergedSections {
  readonly all: MergedSection[] = [];
  readonly #byName = new Map<string, MergedSection>();

  byName(name: string): MergedSection | undefined {
    return this.#byName.get(name);
  }

  /** Adds the sections of an input; places by section index. */
  add(input: InputObject): Map<number, SectionPlace> {
    const places = new Map<number, SectionPlace>();
    for (const section of input.elf.sections)
      if (isMerged(section)) places.set(section.index, this.#append(input, section));
    return places;
  }

  bytesOf({ size, type, parts }: MergedSection): Uint8Array {
    if (type === SectionType.NOBITS) return new Uint8Array(0);
    const bytes = new Uint8Array(size);
    for (const part of parts) bytes.set(part.bytes, part.offset);
    return bytes;
  }

  #append(input: InputObject, section: ElfSection): SectionPlace {
    const bytes = input.elf.bytesOf(section).slice();
    const known = this.#byName.get(section.name);
    const merged = known ?? this.#create(section);
    if (known !== undefined) {
      checkFits(input, section, known);
      if (SINGLE.includes(section.name)) {
        checkSame(input, section, this.bytesOf(known), bytes);
        return { section: known, offset: 0, dropped: true };
      }
    }
    const alignment = alignmentOf(input, section);
    const offset = roundUp(merged.size, alignment);
    merged.alignment = Math.max(merged.alignment, alignment);
    merged.size = offset + section.size;
    const limit = section.type === SectionType.NOBITS ? MAX_SIZE : MAX_FILE_BYTES;
    if (merged.size > limit) throw tooLarge(input, section, merged.size, limit);
    merged.parts.push({ offset, bytes });
    return { section: merged, offset, dropped: false };
  }

  #create({ name, type, flags, entrySize }: ElfSection): MergedSection {
    const position = this.all.length;
    const merged: MergedSection = { position, name, type, flags, entrySize, alignment: 1, size: 0, parts: [] };
    this.all.push(merged);
    this.#byName.set(name, merged);
    return merged;
  }
}

const MAX_SIZE = 0xffff_ffff;

/** As libbpf's linker has it, a power of two, where 0 is 1. */
function alignmentOf(input: InputObject, { name, alignment }: ElfSection): number {
  if ((alignment & (alignment - 1)) === 0) return Math.max(1, alignment);
  throw new BpfError('EINVAL', `linking ${input.name}: the alignment of section ${name} is no power of two`, {
    section: name,
    value: alignment,
    remedy: 'the object is damaged: compile it again',
  });
}

function checkFits(input: InputObject, section: ElfSection, known: MergedSection): void {
  const { name, type, flags, entrySize } = section;
  if (type === known.type && flags === known.flags && entrySize === known.entrySize) return;
  throw new BpfError('EINVAL', `linking ${input.name}: section ${name} is of another kind than in the objects before`, {
    section: name,
    offset: section.offset,
    value: `type ${type}, flags ${flags}`,
    remedy: `there it has type ${known.type}, flags ${known.flags}: give one of them another name`,
  });
}

function checkSame(input: InputObject, section: ElfSection, before: Uint8Array, bytes: Uint8Array): void {
  if (before.length === bytes.length && before.every((byte, i) => byte === bytes[i])) return;
  throw new BpfError(
    'EINVAL',
    `linking ${input.name}: section ${section.name} says something else than in the objects before`,
    {
      section: section.name,
      offset: section.offset,
      value: new TextDecoder().decode(bytes.subarray(0, 64)).replaceAll('\0', ''),
      remedy: `it says ${new TextDecoder().decode(before.subarray(0, 64)).replaceAll('\0', '')} there; one object has one`,
    },
  );
}

function tooLarge(input: InputObject, section: ElfSection, size: number, limit: number): BpfError {
  return new BpfError('E2BIG', `linking ${input.name}: section ${section.name} grows too large`, {
    section: section.name,
    value: size,
    remedy: `it can take ${limit} bytes: link fewer objects, or such that ask for less alignment`,
  });
}
