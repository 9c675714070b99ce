import { BpfError } from '../../base/index.js';
import { SPECIAL_SECTION_INDEX, SymbolBinding, SymbolType } from '../elf/elf-constants.js';
import type { ElfSymbol } from '../elf/elf-symbols.js';
import { isExtern } from '../externs.js';
import { type Declaration, declarationOf, declarationsAgree, mapsAgree } from './declarations.js';
import type { OutputSymbol } from './elf-writer.js';
import type { InputObject } from './input-object.js';
import type { MergedSection, SectionPlace } from './merged-sections.js';

/** A symbol of the output under way. */
export interface MergedSymbol {
  readonly name: string;
  type: number;
  binding: number;
  hidden: boolean;
  section: MergedSection | 'absolute' | undefined;
  value: number;
  size: number;
  /** The input that defines it, or the first that names it. */
  from: InputObject;
  isExtern: boolean;
  /** Its variable or function in the BTF of `from`. */
  declaration: Declaration | undefined;
}

type Places = ReadonlyMap<number, SectionPlace>;

/**
 * The symbols of all inputs. Of global ones there is one by each name: what one object defines is what the others mean. Weak
 * definitions give way to others; two strong ones are in conflict.
 */
export class MergedSymbols {
  readonly all: MergedSymbol[] = [];
  readonly #globals = new Map<string, MergedSymbol>();
  readonly #sectionSymbols = new Map<MergedSection, number>();
  readonly #positions = new Map<MergedSymbol, number>();

  global(name: string): MergedSymbol | undefined {
    return this.#globals.get(name);
  }

  /** Adds the symbols of an input; positions by symbol index. */
  add(input: InputObject, places: Places): Map<number, number> {
    const positions = new Map<number, number>();
    for (const symbol of input.elf.symbols) {
      const position = symbol.index === 0 ? undefined : this.#append(input, symbol, places);
      if (position !== undefined) positions.set(symbol.index, position);
    }
    return positions;
  }

  output(): OutputSymbol[] {
    return this.all.map(({ name, type, binding, hidden, section, value, size }) => ({
      name,
      type,
      binding,
      hidden,
      section: section === undefined ? -1 : section === 'absolute' ? section : section.position,
      value,
      size,
    }));
  }

  #append(input: InputObject, symbol: ElfSymbol, places: Places): number | undefined {
    const place = places.get(symbol.sectionIndex);
    const isPlaced = symbol.sectionIndex > 0 && symbol.sectionIndex < SPECIAL_SECTION_INDEX;
    // Symbols of sections that are not merged, or of which there was one already.
    if (isPlaced && (place === undefined || place.dropped)) return undefined;
    if (symbol.type === SymbolType.SECTION)
      return place === undefined ? undefined : this.#sectionSymbol(input, place.section);
    if (symbol.binding === SymbolBinding.LOCAL) return this.#push(this.#make(input, symbol, place));
    return this.#appendGlobal(input, symbol, place);
  }

  #sectionSymbol(input: InputObject, section: MergedSection): number {
    const known = this.#sectionSymbols.get(section);
    if (known !== undefined) return known;
    const position = this.#push({
      name: '',
      type: SymbolType.SECTION,
      binding: SymbolBinding.LOCAL,
      hidden: false,
      section,
      value: 0,
      size: 0,
      from: input,
      isExtern: false,
      declaration: undefined,
    });
    this.#sectionSymbols.set(section, position);
    return position;
  }

  #appendGlobal(input: InputObject, symbol: ElfSymbol, place: SectionPlace | undefined): number {
    const fresh = this.#make(input, symbol, place);
    const known = this.#globals.get(symbol.name);
    if (known === undefined) {
      this.#globals.set(symbol.name, fresh);
      return this.#push(fresh);
    }
    const isWeak = symbol.binding === SymbolBinding.WEAK;
    if (!fresh.isExtern && !known.isExtern && !isWeak && known.binding !== SymbolBinding.WEAK)
      throw conflict(fresh, known);
    checkAgreement(fresh, known);
    known.hidden ||= fresh.hidden;
    const gives = fresh.isExtern || (!known.isExtern && isWeak);
    if (!isWeak) known.binding = SymbolBinding.GLOBAL;
    if (!gives) {
      const { type, section, value, size, from, isExtern: undefinedStill, declaration } = fresh;
      Object.assign(known, { type, section, value, size, from, isExtern: undefinedStill, declaration });
    }
    return this.#positions.get(known) ?? 0;
  }

  #make(input: InputObject, symbol: ElfSymbol, place: SectionPlace | undefined): MergedSymbol {
    const { name, type, binding, hidden, value, size, sectionIndex } = symbol;
    const isUndefined = isExtern(symbol);
    const declaration = binding === SymbolBinding.LOCAL ? undefined : declarationOf(input, symbol);
    return {
      name,
      type,
      binding,
      hidden,
      section: place?.section ?? (sectionIndex >= SPECIAL_SECTION_INDEX ? 'absolute' : undefined),
      value: value + (place?.offset ?? 0),
      size,
      from: input,
      isExtern: isUndefined,
      declaration,
    };
  }

  #push(symbol: MergedSymbol): number {
    const position = this.all.push(symbol) - 1;
    this.#positions.set(symbol, position);
    return position;
  }
}

function conflict(fresh: MergedSymbol, known: MergedSymbol): BpfError {
  return new BpfError('EINVAL', `linking ${fresh.from.name}: ${fresh.name} is defined twice`, {
    section: '.symtab',
    value: fresh.name,
    remedy: `${known.from.name} defines it, too: make one of them static, __weak or extern`,
  });
}

function checkAgreement(fresh: MergedSymbol, known: MergedSymbol): void {
  const [a, b] = [fresh.declaration, known.declaration];
  if (a === undefined || b === undefined) return;
  const isMap = a.section === '.maps' || b.section === '.maps';
  if (isMap ? mapsAgree(a, b) : declarationsAgree(a, b)) return;
  throw new BpfError(
    'EINVAL',
    `linking ${fresh.from.name}: ${fresh.name} is of another type than in ${known.from.name}`,
    {
      section: '.BTF',
      value: `${a.kind} [${a.id}] here, ${b.kind} [${b.id}] there`,
      remedy: isMap ? 'give the map the same definition in both' : 'declare it in both as it is defined',
    },
  );
}
