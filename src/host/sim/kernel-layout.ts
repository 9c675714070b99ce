import { BpfError } from '../../base/index.js';
import type { Btf } from '../../btf/index.js';
import type { SymbolTable } from '../symbol-table.js';

/** Offsets and addresses in the simulated kernel, from its own BTF and symbols. Asked once, at start. */
export class KernelLayout {
  readonly btf: Btf;
  readonly symbols: SymbolTable;

  constructor(btf: Btf, symbols: SymbolTable) {
    this.btf = btf;
    this.symbols = symbols;
  }

  /** Byte offset of a member of a struct; `path` may be dotted. */
  offset(struct: string, path: string): number {
    const location = this.btf.member(this.#struct(struct), path);
    if (location === undefined) throw this.#missing(`${struct}.${path}`);
    return location.bitOffset / 8;
  }

  /** Offset and size in bytes of a member. */
  member(struct: string, path: string): { readonly offset: number; readonly size: number } {
    const location = this.btf.member(this.#struct(struct), path);
    if (location === undefined) throw this.#missing(`${struct}.${path}`);
    return { offset: location.bitOffset / 8, size: this.btf.sizeOf(location.type) };
  }

  size(struct: string): number {
    return this.btf.sizeOf(this.#struct(struct));
  }

  address(symbol: string): bigint {
    const found = this.symbols.lookup(symbol);
    if (found === undefined) throw this.#missing(symbol);
    return found.address;
  }

  #struct(name: string): number {
    const found = this.btf.findByName(name, 'struct');
    if (found === undefined) throw this.#missing(`struct ${name}`);
    return found.id;
  }

  #missing(what: string): BpfError {
    return new BpfError('ENOENT', 'the simulator image lacks something the host needs', {
      value: what,
      remedy: 'rebuild the image',
    });
  }
}
