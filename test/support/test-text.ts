import type { PtRegs } from '../../src/arch/index.js';
import type { HostText, SymbolTable, TrapFrame, TrapHandler } from '../../src/host/index.js';
import type { TestMemory } from './test-memory.js';

const TRAMPOLINE = 0xffff_ffff_8300_0000n;
const SLOTS = 0xffff_ffff_a000_0000n;
const SLOTS_SIZE = 0x4000;

/** Text that can be patched; keeps a log of what was done to it. */
export class TestText implements HostText {
  readonly returnTrampoline = TRAMPOLINE;
  /** `patch 0x... cc`, `alloc`, `free`, in the order they happened. */
  readonly log: string[] = [];
  /** Executable bytes given out and not given back. */
  allocated = 0;
  readonly #memory: TestMemory;
  readonly #symbols: SymbolTable;
  readonly #blacklist: ReadonlySet<string>;
  #handler: TrapHandler | null = null;
  #nextSlot = SLOTS;

  constructor(memory: TestMemory, symbols: SymbolTable, blacklist: readonly string[]) {
    this.#memory = memory;
    this.#symbols = symbols;
    this.#blacklist = new Set(blacklist);
    memory.map(TRAMPOLINE, 16).fill(0xcc);
    memory.map(SLOTS, SLOTS_SIZE);
  }

  patch(address: bigint, expected: Uint8Array, bytes: Uint8Array): boolean {
    const place = this.#memory.view(address, bytes.length);
    if (place === undefined || expected.some((byte, i) => place[i] !== byte)) return false;
    place.set(bytes);
    this.log.push(`patch ${this.#symbols.format(address)} ${hex(expected)} -> ${hex(bytes)}`);
    return true;
  }

  allocExec(size: number): bigint | null {
    const address = this.#nextSlot;
    if (address + BigInt(size) > SLOTS + BigInt(SLOTS_SIZE)) return null;
    this.#nextSlot += BigInt((size + 15) & ~15);
    this.allocated += size;
    this.log.push(`alloc ${size}`);
    return address;
  }

  freeExec(_address: bigint, size: number): void {
    this.allocated -= size;
    this.log.push(`free ${size}`);
  }

  blacklisted(address: bigint): string | null {
    const symbol = this.#symbols.at(address);
    return symbol !== undefined && this.#blacklist.has(symbol.name) ? `${symbol.name} is part of the trap path` : null;
  }

  setTrapHandler(handler: TrapHandler | null): void {
    this.#handler = handler;
  }

  singleStep(_frame: TrapFrame): void {
    throw new Error('the test host has no single step');
  }

  /** A breakpoint trap on `cpu`, with the pc in `regs` behind the breakpoint. */
  trap(cpu: number, regs: PtRegs, user = false): boolean {
    return this.#handler?.({ cpu, kind: 'breakpoint', regs, user }) ?? false;
  }

  /** A memory fault on `cpu` at the pc in `regs`. */
  fault(cpu: number, regs: PtRegs): boolean {
    return this.#handler?.({ cpu, kind: 'fault', regs, user: false }) ?? false;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
