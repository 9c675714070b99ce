import type { Arch } from '../../arch/index.js';
import { BpfError, hi32, lo32 } from '../../base/index.js';
import type { FollowedReturn, HostText, SymbolTable, TrapFrame, TrapHandler } from '../index.js';
import { NO_PAGE } from '../guest/index.js';
import { ExecAllocator, type ExecRoom } from './exec-room.js';
import type { MachineControl } from './machine-control.js';
import type { QemuMemory } from './qemu-memory.js';

const PAGE = 4096;
/** The longest breakpoint of any architecture. */
const BREAKPOINT_MAX = 4;

/** Symbols between which Linux keeps code that must not trap. */
const LINUX_RANGES: readonly (readonly [from: string, to: string, why: string])[] = [
  ['__kprobes_text_start', '__kprobes_text_end', 'part of the way of a probe'],
  ['__noinstr_text_start', '__noinstr_text_end', 'code that must not be instrumented'],
  ['__entry_text_start', '__entry_text_end', 'entry code'],
  ['__irqentry_text_start', '__irqentry_text_end', 'entry code'],
];

export interface QemuTextOptions {
  readonly arch: Arch;
  readonly symbols: SymbolTable;
  readonly memory: QemuMemory;
  readonly control: MachineControl;
  /** Executable memory for slots; null: displaced instructions can only be simulated. */
  readonly room: ExecRoom | null;
  readonly returnTrampoline: bigint | null;
  /** Whether breakpoints are the stub's (`Z0`) instead of bytes in the text. */
  readonly stubBreakpoints: boolean;
  /** Names of functions that must not be probed. */
  readonly trapPath: readonly string[];
  /** Whether single steps can be had. */
  readonly singleStep: boolean;
}

/**
 * Text of a guest. Bytes are written through the gdb stub by physical address, while the machine stands still: that reaches
 * read-only text and drops what the emulator has translated of it. (Writing the shared RAM would not.)
 */
export class QemuText implements HostText {
  readonly returnTrampoline: bigint | null;
  readonly #arch: Arch;
  readonly #symbols: SymbolTable;
  readonly #memory: QemuMemory;
  readonly #control: MachineControl;
  readonly #exec: ExecAllocator | null;
  readonly #stubBreakpoints: boolean;
  readonly #ranges: readonly { readonly from: bigint; readonly to: bigint; readonly why: string }[];
  readonly #trapPath: ReadonlySet<string>;
  readonly #canStep: boolean;
  readonly #followed = new Set<() => Iterable<FollowedReturn>>();
  #handler: TrapHandler | null = null;
  #stepping = false;
  /** Set by whoever knows the kernel. */
  hasFixup: (address: bigint) => boolean = () => false;
  /** Why the kernel keeps the instruction at an address for itself, or null. Set likewise. */
  reserved: (address: bigint) => string | null = () => null;
  /** Set by whoever delivers traps. */
  drain: () => void = () => {};

  constructor(options: QemuTextOptions) {
    this.returnTrampoline = options.returnTrampoline;
    this.#arch = options.arch;
    this.#symbols = options.symbols;
    this.#memory = options.memory;
    this.#control = options.control;
    this.#exec = options.room === null ? null : new ExecAllocator(options.room);
    this.#stubBreakpoints = options.stubBreakpoints;
    this.#ranges = LINUX_RANGES.flatMap(([from, to, why]) => rangeOf(options.symbols, from, to, why));
    this.#trapPath = new Set(options.trapPath);
    this.#canStep = options.singleStep;
  }

  patch(address: bigint, expected: Uint8Array, bytes: Uint8Array): boolean {
    if (expected.length !== bytes.length || !this.#isText(address, bytes.length)) return false;
    return this.#control.whileHalted(() => {
      const found = new Uint8Array(expected.length);
      if (!this.#memory.readKernel(lo32(address), hi32(address), found, 0, found.length)) return false;
      if (found.some((byte, i) => byte !== expected[i])) return false;
      return this.#stubBreakpoints ? this.#putWithBreakpoints(address, bytes) : this.write(address, bytes);
    });
  }

  allocExec(size: number): bigint | null {
    return this.#exec?.allocate(size) ?? null;
  }

  freeExec(address: bigint, size: number): void {
    this.#exec?.free(address, size);
  }

  blacklisted(address: bigint): string | null {
    if (this.#exec?.holds(address, 1) === true) return 'room for displaced instructions';
    const symbol = this.#symbols.at(address);
    if (symbol === undefined || !/^[tTwW]$/.test(symbol.type)) return 'not kernel text';
    if (this.#trapPath.has(symbol.name)) return 'on the way of a trap';
    return this.#ranges.find(({ from, to }) => address >= from && address < to)?.why ?? this.reserved(address);
  }

  returnBlacklisted(address: bigint): string | null {
    const changes = /^(?:__switch_to|cpu_switch_to)$/.test(this.#symbols.at(address)?.name ?? '');
    return changes ? 'it makes another task current before it returns' : null;
  }

  setTrapHandler(handler: TrapHandler | null): void {
    this.#handler = handler;
  }

  onRelease(calls: () => Iterable<FollowedReturn>): () => void {
    this.#followed.add(calls);
    return () => {
      this.#followed.delete(calls);
    };
  }

  /** Calls that were followed and are still under way. */
  get followedReturns(): readonly FollowedReturn[] {
    return [...this.#followed].flatMap((calls) => [...calls()]);
  }

  singleStep(_frame: TrapFrame): void {
    if (!this.#canStep) {
      throw new BpfError('EOPNOTSUPP', 'stepping one instruction of the guest', {
        remedy: 'this kind of trap leaves the machine running: take traps by the stub',
      });
    }
    this.#stepping = true;
  }

  /** Delivers a trap; what the handler answers, false where there is none. */
  deliver(frame: TrapFrame): boolean {
    return this.#handler !== null && this.#handler(frame);
  }

  /** Whether the handler asked for a step since this was asked last. */
  takeStep(): boolean {
    const stepping = this.#stepping;
    this.#stepping = false;
    return stepping;
  }

  /** Writes bytes to the guest's code. The machine must stand still. False: no memory there. */
  write(address: bigint, bytes: Uint8Array): boolean {
    for (let done = 0; done < bytes.length;) {
      const at = address + BigInt(done);
      const physical = this.#memory.physical(lo32(at), hi32(at));
      if (physical === NO_PAGE) return false;
      const size = Math.min(bytes.length - done, PAGE - (physical % PAGE));
      if (!this.#control.client.writeMemory(BigInt(physical), bytes.subarray(done, done + size))) return false;
      done += size;
    }
    return true;
  }

  /** Makes the return trampoline a breakpoint, for hosts without a stub in the guest. The machine must stand still. */
  placeTrampoline(address: bigint): void {
    const breakpoint = this.#arch.probing.breakpoint(this.#arch.probing.minInsnLength);
    if (this.#stubBreakpoints) this.#insertBreakpoint(address, breakpoint);
    else this.write(address, breakpoint);
  }

  /** In the text a breakpoint is the stub's and nothing else changes; behind a displaced instruction it is both. */
  #putWithBreakpoints(address: bigint, bytes: Uint8Array): boolean {
    for (const old of this.#memory.breakpoints) {
      const offset = old - address;
      if (offset >= 0n && offset < BigInt(bytes.length)) this.#removeBreakpoint(old);
    }
    if (this.#arch.probing.isBreakpoint(bytes)) return this.#insertBreakpoint(address, bytes);
    if (!this.write(address, bytes)) return false;
    const size = this.#breakpointBehind(bytes);
    return size === 0 || this.#insertBreakpoint(address + BigInt(bytes.length - size), bytes.slice(-size));
  }

  #insertBreakpoint(address: bigint, bytes: Uint8Array): boolean {
    this.#control.client.insertBreakpoint(address, Math.max(bytes.length, this.#arch.probing.minInsnLength));
    this.#memory.showBreakpoint(address, bytes.slice());
    return true;
  }

  #removeBreakpoint(address: bigint): void {
    const bytes = this.#memory.breakpointAt(address) as Uint8Array;
    this.#control.client.removeBreakpoint(address, Math.max(bytes.length, this.#arch.probing.minInsnLength));
    this.#memory.hideBreakpoint(address);
  }

  /** Bytes of the slot breakpoint that ends `bytes`; 0 where none does. */
  #breakpointBehind(bytes: Uint8Array): number {
    for (let size = 1; size <= BREAKPOINT_MAX && size < bytes.length; size++) {
      const breakpoint = this.#arch.probing.slotBreakpoint(bytes.length - size);
      if (breakpoint.length !== size) continue;
      if (breakpoint.every((byte, i) => bytes[bytes.length - size + i] === byte)) return size;
    }
    return 0;
  }

  #isText(address: bigint, length: number): boolean {
    if (this.#exec?.gaveOut(address, length) === true) return true;
    return /^[tTwW]$/.test(this.#symbols.at(address)?.type ?? '');
  }
}

function rangeOf(
  symbols: SymbolTable,
  from: string,
  to: string,
  why: string,
): { from: bigint; to: bigint; why: string }[] {
  const start = symbols.lookup(from)?.address;
  const end = symbols.lookup(to)?.address;
  return start === undefined || end === undefined ? [] : [{ from: start, to: end, why }];
}
