/** One symbol of the kernel image. */
export interface KernelSymbol {
  readonly name: string;
  readonly address: bigint;
  /** Bytes to the next symbol, or the ELF size where it is known. */
  readonly size: bigint;
  /** nm's type letter: T/t text, D/d data, B/b bss, R/r read-only. */
  readonly type: string;
  readonly module?: string;
}

/** Symbols by name and by address, built once. */
export class SymbolTable {
  readonly #byAddress: readonly KernelSymbol[];
  readonly #byName: ReadonlyMap<string, readonly KernelSymbol[]>;

  constructor(symbols: Iterable<KernelSymbol>) {
    const sorted = [...symbols].toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    const byName = new Map<string, KernelSymbol[]>();
    for (const symbol of sorted) {
      const same = byName.get(symbol.name);
      if (same === undefined) byName.set(symbol.name, [symbol]);
      else same.push(symbol);
    }
    this.#byAddress = sorted;
    this.#byName = byName;
  }

  /** The first symbol of that name in address order. */
  lookup(name: string): KernelSymbol | undefined {
    return this.#byName.get(name)?.[0];
  }

  /** All symbols of that name; static functions may share one. */
  lookupAll(name: string): readonly KernelSymbol[] {
    return this.#byName.get(name) ?? [];
  }

  /**
   * The symbol whose range holds `address`; of several at one place the first, as the kernel names it. Marks without a
   * size hold nothing.
   */
  at(address: bigint): KernelSymbol | undefined {
    let low = 0;
    let high = this.#byAddress.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#byAddress[middle].address <= address) low = middle + 1;
      else high = middle;
    }
    const start = this.#byAddress[low - 1]?.address;
    let found: KernelSymbol | undefined;
    for (let i = low - 1; i >= 0 && this.#byAddress[i].address === start; i--) {
      const symbol = this.#byAddress[i];
      if (address < symbol.address + symbol.size) found = symbol;
    }
    return found;
  }

  /** `name+0x12`, as the kernel's %pS without the size, or the bare address in hex. */
  format(address: bigint): string {
    const symbol = this.at(address);
    if (symbol === undefined) return `0x${address.toString(16)}`;
    return `${symbol.name}+0x${(address - symbol.address).toString(16)}`;
  }

  [Symbol.iterator](): Iterator<KernelSymbol> {
    return this.#byAddress[Symbol.iterator]();
  }
}
