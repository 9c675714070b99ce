import type { PtRegs } from '../../arch/index.js';
import { BpfError, lo32, hi32 } from '../../base/index.js';
import type { Host } from '../../host/index.js';
import {
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  type ContextSlots,
  type HookContext,
  ProgramAttachment,
  type Runtime,
} from '../../runtime/index.js';
import type { Kprobe } from '../kprobe.js';
import type { KprobeRegistry } from '../kprobe-registry.js';
import type { Kretprobe, KretprobeInstance } from '../kretprobe.js';
import type { KretprobeRegistry } from '../kretprobe-registry.js';
import type { FunctionModel } from './function-model.js';

/** When a program runs: at entry, at return, or at entry with a say in whether the function runs at all. */
export type TrampolineKind = 'fentry' | 'fexit' | 'fmod_ret';
export type TrampolineOptions = Pick<AttachmentOptions, 'cookie' | 'onFault'>;

/** A program on a function, until `detach`. */
export interface TrampolineLink {
  readonly program: BpfProgram;
  readonly counts: AttachmentCounts;
  /** Calls since it was attached that its program did not see, by cause. */
  readonly missed: TrampolineMissed;
  /** Idempotent, and safe from inside the program's own run. */
  detach(): void;
}

export interface TrampolineMissed {
  /** The CPU was busy with another probe's hit. */
  readonly recursion: number;
  /** fexit: the call could not be followed, or was left without returning. */
  readonly fault: number;
  readonly noReturn: number;
}

/** What all trampolines of a host share. */
export interface TrampolineParts {
  readonly runtime: Runtime;
  readonly kprobes: KprobeRegistry;
  readonly kretprobes: KretprobeRegistry;
  readonly contexts: ContextSlots;
}

/** Programs of one function at most (BPF_MAX_TRAMP_LINKS). */
const MAX_LINKS = 38;
/**
 * Layers of the probes below. fentry programs find the stack as it is, before the return address is another; calls are followed
 * before a fmod_ret program can end them.
 */
const LAYERS = { fentry: 1, fexit: 2, fmod_ret: 3 } as const;
/** Calls followed at one time before more instances are made. */
const EXPECTED_CALLS = 64;

/**
 * What a function with fentry, fmod_ret or fexit programs goes through (the kernel's bpf_trampoline): at entry the fentry
 * programs, then the fmod_ret ones until one returns not 0, which is then what the function returns without having run; at
 * return, real or not, the fexit programs. Of each kind the newest program runs first, as in Linux. The way in is a
 * breakpoint at the function's first instruction, of a layer behind all kprobes there.
 */
export class FunctionTrampoline {
  readonly addr: bigint;
  readonly model: FunctionModel;
  readonly #parts: TrampolineParts;
  readonly #host: Host;
  readonly #hooks: Readonly<Record<TrampolineKind, HookContext>>;
  /** Copy on write. */
  readonly #calls: Record<TrampolineKind, readonly ProgramAttachment[]> = { fentry: [], fmod_ret: [], fexit: [] };
  /** Arguments of calls under way, kept for the programs at their end. */
  readonly #freeArgs: Int32Array[] = [];
  readonly #bytes = new Uint8Array(8);
  readonly #word = new DataView(this.#bytes.buffer);
  readonly #entries: Record<'fentry' | 'fmod_ret', Kprobe | null> = { fentry: null, fmod_ret: null };
  #exit: Kretprobe | null = null;

  constructor(parts: TrampolineParts, addr: bigint, model: FunctionModel) {
    const size = 8 * model.words.length;
    this.#parts = parts;
    this.#host = parts.runtime.host;
    this.addr = addr;
    this.model = model;
    this.#hooks = {
      fentry: { size, regs: null },
      fmod_ret: { size: size + 8, regs: null },
      fexit: { size: size + 8, regs: null },
    };
  }

  get #size(): number {
    return this.#calls.fentry.length + this.#calls.fmod_ret.length + this.#calls.fexit.length;
  }

  /** E2BIG where 38 programs are there already, and what registering a probe at the function answers. */
  attach(program: BpfProgram, kind: TrampolineKind, options: TrampolineOptions): TrampolineLink {
    if (this.#size >= MAX_LINKS) {
      throw new BpfError('E2BIG', `attaching ${program.name} to ${this.model.name}`, {
        value: this.#size,
        remedy: `a function takes ${MAX_LINKS} programs`,
      });
    }
    const { runtime } = this.#parts;
    const call = new ProgramAttachment(runtime, program, this.#hooks[kind], { ...options, funcIp: this.addr });
    try {
      const probe = kind === 'fexit' ? this.#needExit() : this.#needEntry(kind);
      this.#calls[kind] = [call, ...this.#calls[kind]];
      return this.#link(call, kind, probe);
    } catch (error) {
      call.dispose();
      throw error;
    }
  }

  #link(call: ProgramAttachment, kind: TrampolineKind, probe: Kprobe | Kretprobe): TrampolineLink {
    const before = missedOf(probe);
    let missed: TrampolineMissed | undefined;
    const since = (): TrampolineMissed => difference(missedOf(probe), before);
    return {
      program: call.program,
      get counts() {
        return call.counts;
      },
      get missed() {
        return missed ?? since();
      },
      detach: () => {
        if (!call.live) return;
        missed = since();
        this.#calls[kind] = this.#calls[kind].filter((other) => other !== call);
        call.dispose();
        this.#dropProbes();
      },
    };
  }

  #needEntry(kind: 'fentry' | 'fmod_ret'): Kprobe {
    const preHandler = kind === 'fentry' ? this.#entered : this.#modified;
    this.#entries[kind] ??= this.#parts.kprobes.register({ addr: this.addr, preHandler, layer: LAYERS[kind] });
    return this.#entries[kind];
  }

  #needExit(): Kretprobe {
    this.#exit ??= this.#parts.kretprobes.register({
      addr: this.addr,
      entryHandler: (instance, regs) => this.#follow(instance, regs),
      handler: (instance, regs, cpu) => this.#returned(instance, regs, cpu),
      maxactive: EXPECTED_CALLS,
      grows: true,
      layer: LAYERS.fexit,
    });
    return this.#exit;
  }

  #dropProbes(): void {
    if (this.#calls.fexit.length === 0 && this.#exit !== null) {
      this.#parts.kretprobes.unregister(this.#exit);
      this.#exit = null;
    }
    for (const kind of ['fentry', 'fmod_ret'] as const) {
      const entry = this.#entries[kind];
      if (this.#calls[kind].length > 0 || entry === null) continue;
      this.#parts.kprobes.unregister(entry);
      this.#entries[kind] = null;
    }
  }

  readonly #entered = (_probe: Kprobe, regs: PtRegs, cpu: number): number => {
    const { fentry } = this.#calls;
    const ctx = this.#parts.contexts.at(cpu);
    this.#readArguments(regs, this.#parts.runtime.memory.i32, ctx >> 2);
    this.#hooks.fentry.regs = regs;
    for (let i = 0; i < fentry.length; i++) if (fentry[i].live) fentry[i].hit(ctx, cpu);
    return 0;
  };

  /** Not 0: the function is left at once. */
  readonly #modified = (_probe: Kprobe, regs: PtRegs, cpu: number): number => {
    const { fmod_ret: calls } = this.#calls;
    const ctx = this.#parts.contexts.at(cpu);
    const { i32 } = this.#parts.runtime.memory;
    const ret = (ctx >> 2) + 2 * this.model.words.length;
    this.#readArguments(regs, i32, ctx >> 2);
    this.#hooks.fmod_ret.regs = regs;
    i32[ret] = 0;
    i32[ret + 1] = 0;
    for (let i = 0; i < calls.length; i++) {
      if (calls[i].live) runFor(calls[i], ctx, cpu, i32, ret);
      if (i32[ret] !== 0 || i32[ret + 1] !== 0) break;
    }
    if (i32[ret] === 0 && i32[ret + 1] === 0) return 0;
    if (!this.#host.arch.returns.leave(regs, this.#parts.kprobes.traps.memory)) return 0;
    regs.set(regs.layout.ret, i32[ret], i32[ret + 1]);
    return 1;
  };

  #follow(instance: KretprobeInstance, regs: PtRegs): number {
    const args = this.#freeArgs.pop() ?? new Int32Array(2 * this.model.words.length);
    this.#readArguments(regs, args, 0);
    instance.data = args;
    return 0;
  }

  #returned(instance: KretprobeInstance, regs: PtRegs, cpu: number): void {
    const { fexit } = this.#calls;
    const args = instance.data as Int32Array;
    const ctx = this.#parts.contexts.at(cpu);
    const { i32 } = this.#parts.runtime.memory;
    const ret = (ctx >> 2) + args.length;
    i32.set(args, ctx >> 2);
    this.#freeArgs.push(args);
    i32[ret] = regs.lo(regs.layout.ret);
    i32[ret + 1] = regs.hi(regs.layout.ret);
    this.#hooks.fexit.regs = regs;
    for (let i = 0; i < fexit.length; i++) if (fexit[i].live) fexit[i].hit(ctx, cpu);
  }

  /** One word pair for each word of the arguments; 0 where the stack cannot be read. */
  #readArguments(regs: PtRegs, target: Int32Array, start: number): void {
    const { words } = this.model;
    for (let i = 0; i < words.length; i++) {
      const from = words[i];
      if ('slot' in from) {
        target[start + 2 * i] = regs.lo(from.slot);
        target[start + 2 * i + 1] = regs.hi(from.slot);
      } else {
        this.#readStack(regs, from.stack);
        target[start + 2 * i] = this.#word.getInt32(0, true);
        target[start + 2 * i + 1] = this.#word.getInt32(4, true);
      }
    }
  }

  #readStack(regs: PtRegs, index: number): void {
    const address = regs.sp + BigInt(8 * index);
    if (!this.#host.memory.readKernel(lo32(address), hi32(address), this.#bytes, 0, 8)) this.#bytes.fill(0);
  }
}

/** Runs a program for all of its r0; 0 where the run is missed or has to stop. */
function runFor(call: ProgramAttachment, ctx: number, cpu: number, out: Int32Array, at: number): void {
  const run = call.begin(ctx, cpu);
  if (run === null) return;
  try {
    const low = call.program.engine.run(run, ctx);
    if (run.fault !== null) return;
    out[at] = low;
    out[at + 1] = run.resultHi;
  } finally {
    call.close(run);
  }
}

function missedOf(probe: Kprobe | Kretprobe): TrampolineMissed {
  if (!('entry' in probe)) return { recursion: probe.missed.recursion, fault: 0, noReturn: 0 };
  const { fault, unwound, exited } = probe.missed;
  return { recursion: probe.entry.missed.recursion, fault, noReturn: unwound + exited };
}

function difference(now: TrampolineMissed, before: TrampolineMissed): TrampolineMissed {
  return {
    recursion: now.recursion - before.recursion,
    fault: now.fault - before.fault,
    noReturn: now.noReturn - before.noReturn,
  };
}
