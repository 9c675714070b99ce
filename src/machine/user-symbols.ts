import type { Host, KernelSymbol, UserFile, UserMapping } from '../host/index.js';
import { SymbolTable } from '../host/index.js';
import { ElfImage } from '../kprobe/index.js';

/** Which process an address belongs to. */
export interface UserProcess {
  readonly tgid: number;
  /** What it was called when the address was recorded: an exec changes what is mapped. */
  readonly comm?: string;
}

/** Where an address of a process leads. */
export interface UserLocation {
  readonly file: UserFile;
  /** Offset in the file. */
  readonly offset: number;
  /** The function there, and how far into it the address is; null where the file names none. */
  readonly symbol: { readonly name: string; readonly offset: bigint } | null;
}

interface KnownFile {
  readonly elf: ElfImage | null;
  readonly symbols: SymbolTable | null;
}

/** Names addresses of user programs: by what their processes have mapped, and the symbols of those files. */
export class UserSymbols {
  readonly #host: Host;
  readonly #files = new Map<number, KnownFile>();

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * File, offset and function of an address; undefined where the process or the mapping is not known. `isReturn`: a return
   * address, which belongs to the call before it.
   */
  locate(address: bigint, { tgid, comm }: UserProcess, isReturn = false): UserLocation | undefined {
    const mapping = this.#host.userText
      ?.mappings?.(tgid, comm)
      .find(({ start, end }) => address >= start && address < end);
    if (mapping === undefined) return undefined;
    const offset = offsetIn(mapping, address);
    const linked = this.#file(mapping.file).elf?.addressOf(offset) ?? null;
    const found = linked === null ? undefined : this.#symbolAt(mapping.file, isReturn ? linked - 1n : linked);
    const symbol = found === undefined || linked === null ? null : { name: found.name, offset: linked - found.address };
    return { file: mapping.file, offset, symbol };
  }

  /** `malloc+0x1c [libc.so.6]`; without the file where it is the process's own program; `[libc.so.6+0x1234]` without a name. */
  format(address: bigint, process: UserProcess, isReturn = false): string | undefined {
    const found = this.locate(address, process, isReturn);
    if (found === undefined) return undefined;
    const { file, offset, symbol } = found;
    const module = file.path.split('/').at(-1) ?? '';
    if (symbol === null) return `[${module}+0x${offset.toString(16)}]`;
    const name = `${symbol.name}+0x${symbol.offset.toString(16)}`;
    return module === process.comm ? name : `${name} [${module}]`;
  }

  #symbolAt(file: UserFile, address: bigint): KernelSymbol | undefined {
    const { symbols } = this.#file(file);
    return symbols?.at(address) ?? this.#host.userText?.symbols?.(file)?.at(address);
  }

  #file(file: UserFile): KnownFile {
    let known = this.#files.get(file.id);
    if (known === undefined) this.#files.set(file.id, (known = this.#read(file)));
    return known;
  }

  #read(file: UserFile): KnownFile {
    const bytes = new Uint8Array(file.size);
    if (this.#host.userText?.read(file, 0, bytes) !== true || !isElf(bytes)) return { elf: null, symbols: null };
    const elf = new ElfImage(bytes, file.path);
    const functions = elf.symbols().filter((symbol) => symbol.function && symbol.address !== 0n);
    if (functions.length === 0) return { elf, symbols: null };
    const symbols = functions.map(({ name, address, size }) => ({ name, address, size, type: 'T' }));
    return { elf, symbols: new SymbolTable(symbols) };
  }
}

function offsetIn({ start, offset }: UserMapping, address: bigint): number {
  return Number(address - start) + offset;
}

function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}
