import type { Arch, PtRegs } from '../../../arch/index.js';
import { hi32, lo32, u64 } from '../../../base/index.js';
import type { Btf } from '../../../btf/index.js';
import type { HostMemory, HostStacks, SymbolTable } from '../../index.js';
import { KernelReader } from './kernel-reader.js';
import { OrcTable } from './orc-table.js';
import { OrcUnwinder } from './orc-unwinder.js';

/** Where a frame record lies from the frame pointer: the caller's frame pointer, and the return address. */
const RECORDS: Readonly<Record<Arch['name'], readonly [previous: number, returns: number]>> = {
  x86_64: [0, 8],
  i386: [0, 4],
  arm64: [0, 8],
  riscv64: [-16, -8],
  loongarch64: [-16, -8],
};

/** How kernel stacks are walked. `scan` takes whatever on the stack looks like a return address: it may show stale ones. */
export type UnwindMethod = 'frame-pointer' | 'orc' | 'scan';

/** Words of stack that a scan looks at: a kernel stack has no more. */
const SCANNED_WORDS = 2048;

export interface LinuxStackOptions {
  readonly arch: Arch;
  readonly memory: HostMemory;
  readonly symbols: SymbolTable;
  readonly btf: Btf | null;
}

/**
 * Stacks of a Linux guest. The kernel's: by frame pointers on arm64, riscv64 and i386, by the kernel's own ORC tables on
 * x86_64, by scanning where it does not say where those are. The user's: by frame pointers, as bpf_get_stack does.
 */
export class LinuxStacks implements HostStacks {
  readonly method: UnwindMethod;
  readonly #reader: KernelReader;
  readonly #record: readonly [number, number];
  readonly #pointerSize: 4 | 8;
  readonly #text: { readonly start: bigint; readonly end: bigint };
  readonly #orc: OrcUnwinder | null;

  constructor({ arch, memory, symbols, btf }: LinuxStackOptions) {
    this.#reader = new KernelReader(memory, arch.pointerSize);
    this.#record = RECORDS[arch.name];
    this.#pointerSize = arch.pointerSize;
    this.#text = textOf(symbols);
    const table = arch.name === 'x86_64' && btf !== null ? OrcTable.find(memory, symbols, btf) : null;
    this.#orc = table === null ? null : new OrcUnwinder(table, memory, (address) => this.#isText(address));
    this.method = this.#orc !== null ? 'orc' : arch.name === 'x86_64' ? 'scan' : 'frame-pointer';
  }

  kernel(regs: PtRegs | null, out: Int32Array, max: number): number {
    if (regs === null || !this.#isText(regs.ip)) return 0;
    if (this.#orc !== null) return this.#orc.walk(regs, out, max);
    return this.method === 'scan' ? this.#scan(regs, out, max) : this.#frames(regs, out, max, false);
  }

  user(regs: PtRegs | null, out: Int32Array, max: number): number {
    if (regs === null || !this.#reader.memory.isUser(lo32(regs.ip), hi32(regs.ip))) return 0;
    return this.#frames(regs, out, max, true);
  }

  /** Frame pointers must lead up the stack: whatever does not is the end. */
  #frames(regs: PtRegs, out: Int32Array, max: number, user: boolean): number {
    if (max === 0) return 0;
    put(out, 0, regs.ip);
    let found = 1;
    let frame = regs.get(regs.layout.fp);
    while (found < max && frame !== 0n && frame % BigInt(this.#pointerSize) === 0n) {
      const returns = this.#word(frame + BigInt(this.#record[1]), user);
      const previous = this.#word(frame + BigInt(this.#record[0]), user);
      if (returns === null || previous === null || returns === 0n) break;
      if (!user && !this.#isText(returns)) break;
      put(out, found++, returns);
      if (previous <= frame) break;
      frame = previous;
    }
    return found;
  }

  #scan(regs: PtRegs, out: Int32Array, max: number): number {
    if (max === 0) return 0;
    put(out, 0, regs.ip);
    let found = 1;
    for (let i = 0; i < SCANNED_WORDS && found < max; i++) {
      const word = this.#word(regs.sp + BigInt(i * this.#pointerSize), false);
      if (word === null) break;
      if (this.#isText(word)) put(out, found++, word);
    }
    return found;
  }

  #word(address: bigint, user: boolean): bigint | null {
    const reader = this.#reader;
    const read = user
      ? reader.userPointer(lo32(address), hi32(address), 0)
      : reader.pointer(lo32(address), hi32(address), 0);
    return read ? u64(reader.lo, reader.hi) : null;
  }

  #isText(address: bigint): boolean {
    return address >= this.#text.start && address < this.#text.end;
  }
}

function put(out: Int32Array, index: number, address: bigint): void {
  out[2 * index] = lo32(address);
  out[2 * index + 1] = hi32(address);
}

function textOf(symbols: SymbolTable): { start: bigint; end: bigint } {
  const start = symbols.lookup('_stext')?.address ?? symbols.lookup('_text')?.address ?? 0n;
  return { start, end: symbols.lookup('_etext')?.address ?? start };
}
