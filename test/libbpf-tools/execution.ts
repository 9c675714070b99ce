import { decodeInsn } from '../../src/arch/x86/decode.js';
import { X86Insn } from '../../src/arch/x86/insn.js';
import { Reg } from '../../src/host/sim/cpu/cpu-state.js';
import type { X86Cpu } from '../../src/host/sim/cpu/x86-cpu.js';
import type { SimHost } from '../../src/host/sim/index.js';
import { KernelLayout } from '../../src/host/sim/kernel-layout.js';
import { ElfImage } from '../../src/kprobe/index.js';
import { UserSymbols } from '../../src/machine/index.js';
import { ARGUMENTS, Look } from './look.js';

/** A function whose calls are noted. */
export interface Watch {
  readonly symbol: string;
  /** The user file that it is in; absent: the kernel. */
  readonly path?: string;
  /** What else to remember of the moment before its first instruction, or of its return. */
  readonly enter?: (look: Look) => unknown;
  readonly leave?: (look: Look) => unknown;
}

/** One call of a function, as the CPUs executed it. */
export interface Call {
  readonly symbol: string;
  readonly pid: number;
  readonly tgid: number;
  readonly cpu: number;
  readonly args: readonly bigint[];
  /** Calls of the same task that were running, innermost last. */
  readonly within: readonly Call[];
  /** Entries that the journal had. */
  readonly begun: number;
  ended: number;
  /** Time of the first instruction, or of what programs on it saw: a breakpoint's handler runs later. */
  entered: bigint;
  /** The same of the return; null while it runs. */
  left: bigint | null;
  result: bigint;
  readonly seen: unknown;
  returned: unknown;
}

export interface FinishedCall extends Call {
  left: bigint;
}

/** An enabled tracepoint that a CPU passed: the moment its programs ran. */
export interface Pass {
  readonly name: string;
  readonly time: bigint;
  readonly cpu: number;
  readonly pid: number;
  /** Entries that the journal had. */
  readonly entries: number;
  /** Return addresses of the kernel and of the user program, if asked for. */
  readonly kernel: readonly bigint[];
  readonly user: readonly bigint[];
  /** What else was asked for of the moment. */
  readonly seen: unknown;
}

/** What to remember of a tracepoint's passes: both stacks, or what is read of `args`, the address of its arguments. */
export type PassReads = Readonly<Record<string, 'stacks' | ((look: Look, args: bigint) => unknown)>>;

const VMCALL = [0x0f, 0x01, 0xc1];
const RET = 0xc3;
/** Where a user function under a return probe comes back to. */
const USER_TRAMPOLINES: readonly bigint[] = [0x1000_0000n, 0x5555_5000_0000n, 0x7eff_f000_0000n];
const REGS_IP = 128n;

type Note = (look: Look) => void;

/**
 * What the machine's CPUs executed, from its instruction trace: calls of functions with arguments and times, passes of
 * tracepoints. It owes nothing to breakpoints, and notes when their handlers ran beside.
 */
export class Execution {
  readonly calls: Call[] = [];
  readonly passes: Pass[] = [];
  /** Tasks on the queue of a CPU at each sampling interrupt. */
  readonly samples: number[] = [];
  readonly #host: SimHost;
  readonly #layout: KernelLayout;
  readonly #look: Look;
  /** By the lower half of a kernel address. */
  readonly #notes = new Map<number, Note[]>();
  /** By the offset in a page: user functions, whose addresses are known once they are mapped. */
  readonly #userNotes = new Map<number, ((look: Look, address: bigint) => void)[]>();
  readonly #users: UserSymbols;
  readonly #running = new Map<number, Call[]>();
  readonly #returned = new Map<number, Call>();
  /** Address of the breakpoint that each CPU is in the handler of. */
  readonly #trapped: bigint[] = [];
  readonly #entries = new Map<bigint, string>();

  constructor(host: SimHost, watches: readonly Watch[], reads: PassReads = {}) {
    this.#host = host;
    this.#layout = new KernelLayout(host.btf, host.symbols);
    this.#look = new Look(host, this.#layout);
    this.#users = new UserSymbols(host);
    for (const watch of watches) {
      if (watch.path === undefined) this.#watchKernel(watch);
      else this.#watchUser(watch, watch.path);
    }
    this.#watchTracepoints(reads);
    this.#watchBreakpoints();
    this.#watchSamples((look) => look.runQueue());
    host.traceInstructions((cpu, lo, hi) => this.#executed(cpu, lo, hi));
  }

  /** Finished and unfinished calls of a function, by the time of their begin. */
  callsOf(symbol: string): Call[] {
    return this.calls.filter((call) => call.symbol === symbol);
  }

  /** Finished calls, by the time of their end. */
  returnsOf(symbol: string): FinishedCall[] {
    const done = this.calls.filter((call): call is FinishedCall => call.symbol === symbol && call.left !== null);
    return done.toSorted((a, b) => (a.left < b.left ? -1 : 1));
  }

  #executed(cpu: X86Cpu, lo: number, hi: number): void {
    if (hi === -1) {
      const notes = this.#notes.get(lo);
      if (notes === undefined) return;
      this.#look.move(cpu);
      for (const note of notes) note(this.#look);
    } else if (hi >= 0 && this.#userNotes.size > 0) {
      const notes = this.#userNotes.get(lo & 0xfff);
      if (notes === undefined) return;
      this.#look.move(cpu);
      const address = (BigInt(hi) << 32n) | BigInt(lo >>> 0);
      for (const note of notes) note(this.#look, address);
    }
  }

  #at(address: bigint, note: Note): void {
    const key = Number(BigInt.asIntN(32, address));
    const notes = this.#notes.get(key);
    if (notes === undefined) this.#notes.set(key, [note]);
    else notes.push(note);
  }

  #watchKernel(watch: Watch): void {
    const { address, code } = this.#code(watch.symbol);
    this.#entries.set(address, watch.symbol);
    this.#at(address, (look) => this.#enter(watch, look));
    for (const offset of returnsIn(code)) this.#at(address + BigInt(offset), (look) => this.#leave(watch, look));
  }

  #watchUser(watch: Watch, path: string): void {
    const symbol = this.#host.programs.get(path)?.lookup(watch.symbol);
    if (symbol === undefined) throw new RangeError(`no ${watch.symbol} in ${path}`);
    const known = new Map<bigint, boolean>();
    const file = this.#host.userText.open(path);
    const isIt = (look: Look, address: bigint, offset: bigint): boolean => {
      const found = known.get(address);
      if (found !== undefined) return found;
      const place = this.#users.locate(address, { tgid: look.tgid });
      const is =
        place !== undefined &&
        place.file.id === file?.id &&
        place.symbol?.name === watch.symbol &&
        place.symbol.offset === offset;
      known.set(address, is);
      if (is && offset === 0n) this.#entries.set(address, watch.symbol);
      return is;
    };
    const add = (offset: number, act: Note): void => {
      const key = Number((symbol.address + BigInt(offset)) & 0xfffn);
      const notes = this.#userNotes.get(key) ?? [];
      notes.push((look, address) => {
        if (isIt(look, address, BigInt(offset))) act(look);
      });
      this.#userNotes.set(key, notes);
    };
    add(0, (look) => this.#enter(watch, look));
    for (const offset of returnsIn(this.#userCode(path, symbol))) add(offset, (look) => this.#leave(watch, look));
  }

  #userCode(path: string, { address, size }: { address: bigint; size: bigint }): Uint8Array {
    const { userText } = this.#host;
    const file = userText.open(path);
    if (file === null) throw new RangeError(`no file ${path}`);
    const bytes = new Uint8Array(file.size);
    userText.read(file, 0, bytes);
    const offset = new ElfImage(bytes, path).offsetOf(address) ?? 0;
    return bytes.subarray(offset, offset + Number(size));
  }

  /** `__traceiter_NAME` hands its arguments over in one instruction, at which time stands still while programs run. */
  #watchTracepoints(reads: PassReads): void {
    for (const { name } of this.#host.tracepoints.list) {
      const { address, code } = this.#code(`__traceiter_${name}`);
      const read = reads[name];
      const stacks = read === 'stacks';
      this.#at(address + BigInt(vmcallIn(code)), (look) => {
        this.passes.push({
          name,
          time: look.now,
          cpu: look.cpu,
          pid: look.pid,
          entries: this.#host.journal.length,
          kernel: stacks ? look.kernelFrames() : [],
          user: stacks ? look.userFrames() : [],
          seen: typeof read === 'function' ? read(look, look.register(Reg.SI)) : undefined,
        });
      });
    }
  }

  /** Sampling interrupts: programs run where the machine is told of them. */
  #watchSamples(read: (look: Look) => number): void {
    const { address, code } = this.#code('sysvec_sample');
    this.#at(address + BigInt(vmcallIn(code)), (look) => this.samples.push(read(look)));
  }

  #watchBreakpoints(): void {
    const { address, code } = this.#code('exc_int3');
    this.#at(address, (look) => {
      this.#trapped[look.cpu] = look.u64(look.register(Reg.DI) + REGS_IP) - 1n;
    });
    this.#at(address + BigInt(vmcallIn(code)), (look) => {
      const trap = this.#trapped[look.cpu] ?? 0n;
      const call = this.#running.get(look.task)?.at(-1);
      if (call !== undefined && this.#entries.get(trap) === call.symbol) call.entered = look.now;
      const back = this.#returned.get(look.task);
      const trampoline = trap === this.#host.text.returnTrampoline || USER_TRAMPOLINES.includes(trap);
      if (back !== undefined && trampoline) back.left = look.now;
    });
  }

  #enter({ symbol, enter }: Watch, look: Look): void {
    const running = this.#running.get(look.task) ?? [];
    const call: Call = {
      symbol,
      pid: look.pid,
      tgid: look.tgid,
      cpu: look.cpu,
      args: ARGUMENTS.map((register) => look.register(register)),
      within: [...running],
      begun: this.#host.journal.length,
      ended: -1,
      entered: look.now,
      left: null,
      result: 0n,
      seen: enter?.(look),
      returned: undefined,
    };
    running.push(call);
    this.#running.set(look.task, running);
    this.calls.push(call);
  }

  #leave({ symbol, leave }: Watch, look: Look): void {
    const running = this.#running.get(look.task) ?? [];
    const at = running.findLastIndex((call) => call.symbol === symbol);
    const call = running[at];
    if (call === undefined) return;
    running.length = at;
    call.left = look.now;
    call.ended = this.#host.journal.length;
    call.result = look.result;
    call.returned = leave?.(look);
    this.#returned.set(look.task, call);
  }

  #code(name: string): { address: bigint; code: Uint8Array } {
    const symbol = this.#host.symbols.lookup(name);
    if (symbol === undefined) throw new RangeError(`no ${name} in the simulated kernel`);
    return { address: symbol.address, code: this.#look.bytes(symbol.address, Number(symbol.size)) };
  }
}

function* instructions(code: Uint8Array): Generator<{ at: number; length: number }> {
  const insn = new X86Insn();
  for (let at = 0; at < code.length;) {
    const found = decodeInsn(code, at, insn);
    if (found === null) throw new RangeError(`no instruction at ${at}`);
    yield { at, length: found.length };
    at += found.length;
  }
}

function returnsIn(code: Uint8Array): number[] {
  return [...instructions(code)].flatMap(({ at, length }) => (length === 1 && code[at] === RET ? [at] : []));
}

function vmcallIn(code: Uint8Array): number {
  const found = [...instructions(code)].find(({ at }) => VMCALL.every((byte, i) => code[at + i] === byte));
  if (found === undefined) throw new RangeError('no vmcall');
  return found.at;
}
