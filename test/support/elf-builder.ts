/** What a section of an `ElfBuilder` may have besides bytes. */
export interface SectionOptions {
  readonly type?: number;
  readonly flags?: number;
  readonly link?: number;
  readonly info?: number;
  readonly entrySize?: number;
  /** 8 unless told. */
  readonly alignment?: number;
}

export interface SymbolOptions {
  /** Index of a section; 0: undefined. */
  readonly section?: number;
  readonly value?: number;
  readonly size?: number;
  readonly type?: number;
  readonly binding?: number;
}

const PROGBITS = 1;
const SYMTAB = 2;
const STRTAB = 3;
const REL = 9;

/** Writes relocatable ELF64 files for BPF section by section, right or wrong. */
export class ElfBuilder {
  machine = 247;
  readonly #sections: { name: string; bytes: Uint8Array; options: SectionOptions }[] = [];
  readonly #symbols: { name: string; options: SymbolOptions }[] = [];

  /** Adds a section and returns its index. */
  section(name: string, bytes: Uint8Array, options: SectionOptions = {}): number {
    return this.#sections.push({ name, bytes, options });
  }

  /** Adds a global symbol and returns its index. */
  symbol(name: string, options: SymbolOptions = {}): number {
    return this.#symbols.push({ name, options });
  }

  /** Adds relocations of a section: place, type and symbol index of each. */
  relocations(section: number, entries: readonly (readonly [offset: number, type: number, symbol: number])[]): number {
    const bytes = new Uint8Array(16 * entries.length);
    const view = new DataView(bytes.buffer);
    entries.forEach(([offset, type, symbol], i) => {
      view.setBigUint64(16 * i, BigInt(offset), true);
      view.setUint32(16 * i + 8, type, true);
      view.setUint32(16 * i + 12, symbol, true);
    });
    return this.section('.rel', bytes, { type: REL, info: section, link: -1, entrySize: 16 });
  }

  build(): Uint8Array {
    const symtab = this.#sections.length + 1;
    const names = new Names();
    const all = [
      ...this.#sections,
      { name: '.symtab', bytes: this.#symbolTable(names), options: { type: SYMTAB, link: symtab + 1, entrySize: 24 } },
    ];
    for (const { name } of all) names.offsetOf(name);
    names.offsetOf('.strtab');
    all.push({ name: '.strtab', bytes: names.bytes(), options: { type: STRTAB, link: 0, entrySize: 0 } });
    return this.#write(all, names, symtab);
  }

  #symbolTable(names: Names): Uint8Array {
    const bytes = new Uint8Array(24 * (this.#symbols.length + 1));
    const view = new DataView(bytes.buffer);
    this.#symbols.forEach(({ name, options }, i) => {
      const at = 24 * (i + 1);
      view.setUint32(at, names.offsetOf(name), true);
      view.setUint8(at + 4, ((options.binding ?? 1) << 4) | (options.type ?? 0));
      view.setUint16(at + 6, options.section ?? 0, true);
      view.setBigUint64(at + 8, BigInt(options.value ?? 0), true);
      view.setBigUint64(at + 16, BigInt(options.size ?? 0), true);
    });
    return bytes;
  }

  #write(
    sections: readonly { name: string; bytes: Uint8Array; options: SectionOptions }[],
    names: Names,
    symtab: number,
  ): Uint8Array {
    const table = sections.reduce((end, { bytes }) => end + Math.ceil(bytes.length / 8) * 8, 64);
    const file = new Uint8Array(table + 64 * (sections.length + 1));
    const view = new DataView(file.buffer);
    file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    view.setUint16(16, 1, true);
    view.setUint16(18, this.machine, true);
    view.setUint32(20, 1, true);
    view.setBigUint64(40, BigInt(table), true);
    view.setUint16(52, 64, true);
    view.setUint16(58, 64, true);
    view.setUint16(60, sections.length + 1, true);
    view.setUint16(62, sections.length, true);
    let at = 64;
    sections.forEach(({ name, bytes, options }, i) => {
      const header = table + 64 * (i + 1);
      file.set(bytes, at);
      view.setUint32(header, names.offsetOf(name), true);
      view.setUint32(header + 4, options.type ?? PROGBITS, true);
      view.setBigUint64(header + 8, BigInt(options.flags ?? 0), true);
      view.setBigUint64(header + 24, BigInt(at), true);
      view.setBigUint64(header + 32, BigInt(bytes.length), true);
      view.setUint32(header + 40, options.link === -1 ? symtab : (options.link ?? 0), true);
      view.setUint32(header + 44, options.info ?? 0, true);
      view.setBigUint64(header + 48, BigInt(options.alignment ?? 8), true);
      view.setBigUint64(header + 56, BigInt(options.entrySize ?? 0), true);
      at += Math.ceil(bytes.length / 8) * 8;
    });
    return file;
  }
}

/** A string table under way. */
class Names {
  readonly #offsets = new Map<string, number>();
  #text = '\0';

  offsetOf(name: string): number {
    const known = this.#offsets.get(name);
    if (known !== undefined) return known;
    const offset = this.#text.length;
    this.#text += `${name}\0`;
    this.#offsets.set(name, offset);
    return offset;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}
