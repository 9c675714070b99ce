import { PtRegs, x86_64, type InsnMemory } from '../../src/arch/index.js';
import { hi32, lo32, u64 } from '../../src/base/index.js';
import {
  SymbolTable,
  type Host,
  type HostClock,
  type HostSampler,
  type HostStacks,
  type HostTasks,
  type KernelSymbol,
  type SampleHandler,
  type TracepointDescriptor,
} from '../../src/host/index.js';
import { TestMemory } from './test-memory.js';
import { TestText } from './test-text.js';
import { TestTracepoints } from './test-tracepoints.js';

export const TEXT = 0xffff_ffff_8100_0000n;
const TEXT_SIZE = 0x1_0000;
const STACKS = 0xffff_c900_0000_0000n;
const STACK_SIZE = 0x4000;
/** Where a called function returns to when nobody hijacked it: outside of any symbol. */
export const CALLER = 0xffff_ffff_8200_0000n;

export interface TestTask {
  readonly address: bigint;
  readonly pid: number;
  readonly tgid: number;
  readonly comm: string;
}

export interface TestHostOptions {
  readonly cpus?: number;
  /** Functions of the kernel: name -> machine code. They are laid out one after the other, 16-byte aligned. */
  readonly functions?: Readonly<Record<string, readonly number[]>>;
  readonly tracepoints?: readonly TracepointDescriptor[];
  /** Symbols that refuse probes. */
  readonly blacklist?: readonly string[];
}

/**
 * A host for unit tests: a page of text whose instructions really get executed one by one (those that the
 * architecture simulates; all others only advance the pc), traps at breakpoint bytes, scripted tasks, clock,
 * stacks, samples and tracepoints. Nothing happens by itself: the test calls `call`, `step`, `fire`, `sample`.
 */
export class TestHost implements Host {
  readonly name = 'test';
  readonly arch = x86_64;
  readonly cpus: number;
  readonly capabilities = {
    kprobes: true,
    kretprobes: true,
    singleStep: false,
    tracepoints: true,
    sampling: true,
    userMemory: true,
    stopsClock: true,
  };
  readonly memory = new TestMemory();
  readonly symbols: SymbolTable;
  readonly btf = null;
  readonly text: TestText;
  readonly tracepoints: TestTracepoints;
  /** Nanoseconds that all clocks show; the test moves it. */
  now = 1_000_000_000n;
  /** What is current on each CPU. */
  readonly current: TestTask[];
  /** Frames that `stacks` answers, innermost first. */
  kernelStack: readonly bigint[] = [];
  userStack: readonly bigint[] = [];
  cpu = 0;
  /** Called before each instruction of `call`: the place for preemption, nested traps, other CPUs. */
  beforeInsn: ((cpu: number, regs: PtRegs) => void) | null = null;
  readonly #insns: InsnMemory;
  readonly #sampling = new Map<number, SampleHandler[]>();
  readonly #exitHandlers: ((lo: number, hi: number) => void)[] = [];

  constructor(options: TestHostOptions = {}) {
    this.cpus = options.cpus ?? 2;
    const text = this.memory.map(TEXT, TEXT_SIZE);
    this.memory.map(STACKS, STACK_SIZE * 64);
    this.symbols = new SymbolTable(layOut(options.functions ?? {}, text));
    this.text = new TestText(this.memory, this.symbols, options.blacklist ?? []);
    this.tracepoints = new TestTracepoints(options.tracepoints ?? [], (cpu) => (this.cpu = cpu));
    this.current = Array.from({ length: this.cpus }, (_, cpu) => makeTask(100 + cpu));
    this.#insns = {
      read: (lo, hi, dst, length) => this.memory.readKernel(lo, hi, dst, 0, length),
      write: (lo, hi, src, length) => this.memory.writeKernel(lo, hi, src, 0, length),
    };
  }

  readonly clock: HostClock = {
    monotonic: (out) => this.#time(out, 0n),
    boottime: (out) => this.#time(out, 5n),
    realtime: (out) => this.#time(out, 1_700_000_000_000_000_000n),
    tai: (out) => this.#time(out, 1_700_000_037_000_000_000n),
    jiffies: (out) => put(out, this.now / 1_000_000n),
  };

  readonly tasks: HostTasks = {
    current: (out) => put(out, this.task.address),
    pidTgid: (out) => {
      out[0] = this.task.pid;
      out[1] = this.task.tgid;
    },
    uidGid: (out) => out.fill(0, 0, 2),
    comm: (dst, offset) => {
      dst.set(new TextEncoder().encode(this.task.comm).subarray(0, 16), offset);
      return true;
    },
    commOf: (pid) => this.current.find((task) => task.pid === pid)?.comm,
    onExit: (handler) => {
      this.#exitHandlers.push(handler);
      return () => this.#exitHandlers.splice(this.#exitHandlers.indexOf(handler), 1);
    },
  };

  readonly stacks: HostStacks = {
    kernel: (_regs, out, max) => fillStack(this.kernelStack, out, max),
    user: (_regs, out, max) => fillStack(this.userStack, out, max),
  };

  readonly sampler: HostSampler = {
    start: (cpu, _periodNs, handler) => {
      const handlers = this.#sampling.get(cpu) ?? [];
      handlers.push(handler);
      this.#sampling.set(cpu, handlers);
      return () => handlers.splice(handlers.indexOf(handler), 1);
    },
  };

  currentCpu(): number {
    return this.cpu;
  }

  get task(): TestTask {
    return this.current[this.cpu];
  }

  /** Address of a function of the text, plus `offset`. */
  address(symbol: string, offset = 0): bigint {
    const found = this.symbols.lookup(symbol);
    if (found === undefined) throw new RangeError(`the test host has no function ${symbol}`);
    return found.address + BigInt(offset);
  }

  /** Registers as at a call of `symbol`: return address pushed, arguments in place. */
  enter(symbol: string, args: readonly bigint[] = [], task: TestTask = this.task): PtRegs {
    const regs = new PtRegs(x86_64.ptRegs);
    const top = this.stackTop(task);
    args.forEach((value, i) => regs.put(x86_64.ptRegs.args[i], value));
    regs.put(regs.slot('flags'), 0x202n);
    regs.put(regs.slot('cs'), 0x10n);
    regs.put(regs.slot('ss'), 0x18n);
    regs.sp = top;
    regs.ip = this.address(symbol);
    this.memory.writeU64(top, CALLER);
    return regs;
  }

  /** Where the return address of a task's outermost call lies. */
  stackTop(task: TestTask): bigint {
    return STACKS + BigInt(STACK_SIZE * ((task.pid % 63) + 1) - 64);
  }

  /** Calls a function on `cpu` and runs it until it returns; the registers afterwards. */
  call(symbol: string, cpu = 0, args: readonly bigint[] = []): PtRegs {
    this.cpu = cpu;
    const regs = this.enter(symbol, args, this.current[cpu]);
    this.run(cpu, regs);
    return regs;
  }

  /** Executes instructions until the pc is at `until`. */
  run(cpu: number, regs: PtRegs, until: bigint = CALLER): void {
    for (let steps = 0; regs.ip !== until; steps++) {
      if (steps > 10_000) throw new Error(`no end in sight at ${this.symbols.format(regs.ip)}`);
      this.cpu = cpu;
      this.beforeInsn?.(cpu, regs);
      this.step(cpu, regs);
    }
  }

  /** Executes one instruction; a breakpoint byte traps, and a trap that nobody takes is an oops. */
  step(cpu: number, regs: PtRegs): void {
    this.cpu = cpu;
    const address = regs.ip;
    const bytes = this.memory.view(address, 15);
    if (bytes === undefined) throw new Error(`executing absent memory at 0x${address.toString(16)}`);
    if (bytes[0] === 0xcc) {
      regs.ip = address + 1n;
      if (!this.text.trap(cpu, regs)) throw new Error(`oops: int3 at ${this.symbols.format(address)}`);
      return;
    }
    const plan = x86_64.probing.plan(bytes, address);
    if (plan.kind === 'refuse') throw new Error(`cannot execute: ${plan.reason}`);
    if (plan.kind === 'slot') regs.ip = address + BigInt(plan.length);
    else if (!plan.simulate(regs, this.#insns)) throw new Error(`fault at ${this.symbols.format(address)}`);
  }

  /** A hit of a tracepoint, as the host's own code makes it; false if the tracepoint is off. */
  fire(name: string, args: readonly bigint[], cpu = 0): boolean {
    return this.tracepoints.fire(name, args, cpu);
  }

  /** A sampling interrupt on `cpu`. */
  sample(cpu: number, regs: PtRegs, user = false): void {
    this.cpu = cpu;
    for (const handler of [...(this.#sampling.get(cpu) ?? [])]) handler({ cpu, regs, user });
  }

  /** How many samplers run on `cpu`. */
  samplersOn(cpu: number): number {
    return this.#sampling.get(cpu)?.length ?? 0;
  }

  /** The task is gone for good. */
  exitTask(task: TestTask): void {
    for (const handler of [...this.#exitHandlers]) handler(lo32(task.address), hi32(task.address));
  }

  #time(out: Int32Array, offset: bigint): void {
    put(out, this.now + offset);
  }
}

export function makeTask(pid: number, comm = `task-${pid}`): TestTask {
  return { address: 0xffff_8881_0000_0000n + BigInt(pid) * 0x1000n, pid, tgid: pid, comm };
}

function put(out: Int32Array, value: bigint): void {
  out[0] = lo32(value);
  out[1] = hi32(value);
}

function fillStack(frames: readonly bigint[], out: Int32Array, max: number): number {
  const count = Math.min(frames.length, max);
  for (let i = 0; i < count; i++) {
    out[2 * i] = lo32(frames[i]);
    out[2 * i + 1] = hi32(frames[i]);
  }
  return count;
}

function layOut(functions: Readonly<Record<string, readonly number[]>>, text: Uint8Array): KernelSymbol[] {
  const symbols: KernelSymbol[] = [];
  let offset = 0;
  text.fill(0x90);
  for (const [name, code] of Object.entries(functions)) {
    text.set(code, offset);
    const size = (code.length + 15) & ~15;
    symbols.push({ name, address: TEXT + BigInt(offset), size: BigInt(size), type: 'T' });
    offset += size;
  }
  return symbols;
}

/** The word pair at `index` of raw tracepoint arguments, as a number of 64 bits. */
export function argument(args: Int32Array, index: number): bigint {
  return u64(args[2 * index], args[2 * index + 1]);
}
