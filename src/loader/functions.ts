import { BpfError } from '../base/index.js';
import { decodeInsns, INSN_SIZE, type Insn } from '../runtime/index.js';
import { SECTION_EXECUTABLE, SectionType, SymbolBinding, SymbolType } from './elf/elf-constants.js';
import type { ElfFile } from './elf/elf-file.js';
import type { ElfSection } from './elf/elf-headers.js';
import type { ElfSymbol } from './elf/elf-symbols.js';

/** A function of an object file: a program's entry, or a subprogram. */
export interface ObjectFunction {
  readonly name: string;
  readonly sectionIndex: number;
  /** Section name as in the file, with any leading `?`. */
  readonly section: string;
  /** First instruction slot in the section, and how many there are. */
  readonly start: number;
  readonly count: number;
  /** Whether it is a program of its own: a global function in a section other than .text. */
  readonly isEntry: boolean;
}

/** The code of an object file, by section and function. */
export class ObjectCode {
  /** In order of section and place. */
  readonly functions: readonly ObjectFunction[];
  readonly #elf: ElfFile;
  readonly #insns = new Map<number, readonly Insn[]>();

  constructor(elf: ElfFile) {
    this.#elf = elf;
    this.functions = findFunctions(elf);
  }

  /** Sections that hold functions. */
  get sections(): readonly ElfSection[] {
    return [...new Set(this.functions.map((each) => each.sectionIndex))].map((index) => this.#elf.sections[index]);
  }

  /** Instructions of a function as the compiler left them. */
  insnsOf(each: ObjectFunction): readonly Insn[] {
    return this.#sectionInsns(each.sectionIndex).slice(each.start, each.start + each.count);
  }

  /** The function that holds an instruction slot of a section. */
  at(sectionIndex: number, slot: number): ObjectFunction | undefined {
    let low = 0;
    let high = this.functions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const each = this.functions[middle];
      const before = each.sectionIndex < sectionIndex || (each.sectionIndex === sectionIndex && each.start <= slot);
      if (before) low = middle + 1;
      else high = middle;
    }
    const found: ObjectFunction | undefined = this.functions[low - 1];
    return found !== undefined && found.sectionIndex === sectionIndex && slot < found.start + found.count
      ? found
      : undefined;
  }

  #sectionInsns(sectionIndex: number): readonly Insn[] {
    const known = this.#insns.get(sectionIndex);
    if (known !== undefined) return known;
    const section = this.#elf.sections[sectionIndex];
    if (section.size % INSN_SIZE !== 0)
      throw corrupt('code is not a whole number of instructions', section.name, section.size);
    const insns = decodeInsns(this.#elf.bytesOf(section), this.#elf.littleEndian);
    this.#insns.set(sectionIndex, insns);
    return insns;
  }
}

function findFunctions(elf: ElfFile): ObjectFunction[] {
  const functions = elf.symbols
    .filter((symbol) => symbol.type === SymbolType.FUNC && isCode(elf.sections[symbol.sectionIndex]))
    .map((symbol) => toFunction(symbol, elf.sections[symbol.sectionIndex]))
    .toSorted((a, b) => a.sectionIndex - b.sectionIndex || a.start - b.start);
  functions.forEach((each, i) => {
    const previous = functions[i - 1];
    if (
      previous !== undefined &&
      previous.sectionIndex === each.sectionIndex &&
      previous.start + previous.count > each.start
    ) {
      throw corrupt(`functions ${previous.name} and ${each.name} overlap`, each.section, each.start * INSN_SIZE);
    }
  });
  return functions;
}

function isCode(section: ElfSection | undefined): boolean {
  return section !== undefined && section.type === SectionType.PROGBITS && (section.flags & SECTION_EXECUTABLE) !== 0;
}

function toFunction(symbol: ElfSymbol, section: ElfSection): ObjectFunction {
  const { name, value, size, binding } = symbol;
  if (size === 0 || size % INSN_SIZE !== 0 || value % INSN_SIZE !== 0) {
    throw corrupt(`function ${name} is not a whole number of instructions`, section.name, value);
  }
  if (value + size > section.size) throw corrupt(`function ${name} runs past its section`, section.name, value);
  return {
    name,
    sectionIndex: section.index,
    section: section.name,
    start: value / INSN_SIZE,
    count: size / INSN_SIZE,
    isEntry: section.name !== '.text' && binding !== SymbolBinding.LOCAL,
  };
}

function corrupt(what: string, section: string, offset: number): BpfError {
  return new BpfError('EINVAL', what, { section, offset, remedy: 'the object file is corrupt' });
}
