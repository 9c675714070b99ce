import type { Arch, PtRegs } from '../arch/index.js';
import type { Btf } from '../btf/index.js';
import type { SymbolTable } from './symbol-table.js';
import type { TracepointDescriptor } from './tracepoint-descriptor.js';
import type { HostUserText } from './user-text.js';

/**
 * The contract between kscope and a machine that can be instrumented. Everything is synchronous: a BPF
 * program cannot wait. Faults are results (`false`, `-EFAULT`), never exceptions. Addresses are `bigint`
 * on cold paths and two 32-bit words (`lo`, `hi`) on the paths a probe hit takes.
 */
export interface Host {
  /** Short name for messages: `sim`, `qemu` ... */
  readonly name: string;
  readonly arch: Arch;
  /** Number of possible CPUs; CPU numbers are 0 .. cpus-1. */
  readonly cpus: number;
  readonly capabilities: HostCapabilities;
  readonly memory: HostMemory;
  readonly symbols: SymbolTable;
  /** Types of the running kernel, or null where none are known. */
  readonly btf: Btf | null;
  /** Text of the kernel's configuration (.config), where it is known. */
  readonly kconfig?: string | undefined;
  /** LINUX_VERSION_CODE of the kernel, where it is known. */
  readonly kernelVersion?: number | undefined;
  readonly clock: HostClock;
  readonly tasks: HostTasks;
  readonly stacks: HostStacks;
  /** Null where the host's text cannot be patched. */
  readonly text: HostText | null;
  /** Text of user programs, for uprobes; absent where the host cannot follow it. */
  readonly userText?: HostUserText;
  /** Null where the host has no tracepoints. */
  readonly tracepoints: HostTracepoints | null;
  /** Null where the host cannot sample. */
  readonly sampler: HostSampler | null;
  /** CPU on which the event being handled happens; outside of any event, 0. */
  currentCpu(): number;
}

/** How long `DrivenHost.run` may let its machine go on. */
export interface HostRunLimits {
  /** Nanoseconds of the host's monotonic clock. */
  readonly ns?: number;
  /** Asked now and then, between events. */
  readonly until?: () => boolean;
}

/**
 * A host whose machine kscope owns. Its traps, tracepoints and samples are delivered while `run` runs; between calls the
 * machine stands still, or goes on until its next event.
 */
export interface DrivenHost extends Host {
  /** `time` and `until`: a limit was reached, the machine can go on. Anything else is how it ended. */
  run(limits?: HostRunLimits): string;
  /** What the machine has printed so far. */
  readonly console: string;
  /** Why its kernel gave up, or null while it lives. */
  readonly oops: { readonly message: string } | null;
  /** Ends the machine and gives back what it held. Idempotent. */
  close(): void;
}

/** What a host says it can do, so that tools and tests ask instead of guessing. */
export interface HostCapabilities {
  readonly kprobes: boolean;
  readonly kretprobes: boolean;
  readonly singleStep: boolean;
  readonly tracepoints: boolean;
  readonly sampling: boolean;
  readonly userMemory: boolean;
  /** Time stands still while a handler runs. */
  readonly stopsClock: boolean;
}

/**
 * Reads and writes are all or nothing: `false` is a fault, and a faulting read leaves `dst` untouched. A length of 0 is no
 * access: it succeeds at any address of the half that the function is for.
 */
export interface HostMemory {
  /** Kernel virtual memory. */
  readKernel(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean;
  writeKernel(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean;
  /** User memory of the current task. An absent page is a fault, as under pagefault_disable(). */
  readUser(lo: number, hi: number, dst: Uint8Array, offset: number, length: number): boolean;
  writeUser(lo: number, hi: number, src: Uint8Array, offset: number, length: number): boolean;
  /**
   * As `readUser`, of the task whose `struct task_struct` is at that address: false, too, where it has no user memory. Absent where
   * the host cannot reach other tasks' memory.
   */
  readUserOf?(
    taskLo: number,
    taskHi: number,
    lo: number,
    hi: number,
    dst: Uint8Array,
    offset: number,
    length: number,
  ): boolean;
  /** Whether the address lies in the user half (access_ok). */
  isUser(lo: number, hi: number): boolean;
}

/** Nanosecond clocks. `out` receives low and high word. */
export interface HostClock {
  /** CLOCK_MONOTONIC. */
  monotonic(out: Int32Array): void;
  /** CLOCK_BOOTTIME. */
  boottime(out: Int32Array): void;
  /** CLOCK_REALTIME. */
  realtime(out: Int32Array): void;
  /** CLOCK_TAI. */
  tai(out: Int32Array): void;
  jiffies(out: Int32Array): void;
}

/** What helpers ask of the task that is current on the CPU where the event happens. */
export interface HostTasks {
  /** Address of its `struct task_struct`. */
  current(out: Int32Array): void;
  /** low word: pid (thread), high word: tgid (process). */
  pidTgid(out: Int32Array): void;
  /** low word: uid, high word: gid. */
  uidGid(out: Int32Array): void;
  /** Copies `comm` (at most 16 bytes, NUL-padded by the caller) to `dst`; false on a fault. */
  comm(dst: Uint8Array, offset: number): boolean;
  /** Comm of any task by pid, for readers at the edge; undefined if unknown. */
  commOf(pid: number): string | undefined;
  /**
   * Calls `handler` with the address of each task that is gone for good and will never return from the
   * functions it was in. Returns the function that ends this. Absent where the host cannot tell.
   */
  onExit?(handler: (taskLo: number, taskHi: number) => void): () => void;
}

/** Stack walks. Addresses go to `out` as word pairs, innermost first; the result is how many were found. */
export interface HostStacks {
  /** Kernel frames from `regs`, or, with null, from the point where the event happened. */
  kernel(regs: PtRegs | null, out: Int32Array, max: number): number;
  /**
   * Kernel frames of the task whose `struct task_struct` is at that address and that is current nowhere, from where it left off,
   * functions of the scheduler left out. 0 where it runs, or is no task. Absent where the host cannot walk such stacks.
   */
  kernelOf?(taskLo: number, taskHi: number, out: Int32Array, max: number): number;
  /** User frames of the current task; 0 for a kernel thread. */
  user(regs: PtRegs | null, out: Int32Array, max: number): number;
}

/** Kernel text: patching, traps, and pages to run displaced instructions from. */
export interface HostText {
  /**
   * Replaces `expected` by `bytes` at `address` on all CPUs at once and makes sure that none executes
   * stale bytes. False where the bytes found are not the expected ones or the address is not text.
   */
  patch(address: bigint, expected: Uint8Array, bytes: Uint8Array): boolean;
  /** Address of `size` executable bytes for slots, a multiple of 16, or null. `patch` writes them. */
  allocExec(size: number): bigint | null;
  freeExec(address: bigint, size: number): void;
  /** Address of a breakpoint instruction of the host's own, to which hijacked returns are sent; null without kretprobes. */
  readonly returnTrampoline: bigint | null;
  /** Why the host refuses probes at `address` (entry code, the trap path itself), or null. */
  blacklisted(address: bigint): string | null;
  /**
   * Why the host refuses return probes on the function at `address` that it lets be probed otherwise (one that
   * makes another task current before it returns), or null. Absent: it refuses none.
   */
  returnBlacklisted?(address: bigint): string | null;
  /** The one receiver of traps. Called with the CPU stopped in the trap. */
  setTrapHandler(handler: TrapHandler | null): void;
  /**
   * Returns when every trap that a CPU met before the call has been delivered, or will find the text as it is now. Called
   * outside of handlers, when breakpoints were taken out for good. Absent where traps cannot be under way between calls.
   */
  drain?(): void;
  /**
   * Whether a trap's stack pointer, when changed, is what the CPU goes on with, and memory below it is free to be written
   * in the handler. Absent: no. Linux on arm64 says no for its own mode: its trap frame lies there.
   */
  readonly restoresStackPointer?: boolean;
  /**
   * Whether the kernel's exception table has an entry for the instruction at `address`: where that faults, it goes on
   * elsewhere. Absent: of none.
   */
  hasFixup?(address: bigint): boolean;
  /**
   * `calls` tells which calls were followed and will return to the trampoline, until the function returned is called. A host
   * that lets go of a machine which lives on sees to it that they return where they belong. Absent: machine and host end
   * together.
   */
  onRelease?(calls: () => Iterable<FollowedReturn>): () => void;
  /** Asks for one instruction to be executed at regs.ip after the handler returns, then a `step` trap. */
  singleStep(frame: TrapFrame): void;
}

/** One trap. The object and its `regs` are reused: valid only while the handler runs. */
export interface TrapFrame {
  readonly cpu: number;
  /**
   * `fault`: a memory access failed in kernel mode, told before the host's own fault handling, which goes on with
   * the registers as they are then, whatever the answer. Only a host that can fault in a slot needs to send it.
   */
  readonly kind: 'breakpoint' | 'step' | 'fault';
  /** Registers at the trap; changes take effect on resume. */
  readonly regs: PtRegs;
  /** True if the trap came from user mode. */
  readonly user: boolean;
}

/** A call under way whose return address was replaced by the trampoline's. */
export interface FollowedReturn {
  /** As `ArchReturns` identifies frames. */
  readonly frame: bigint;
  /** Where it belongs. */
  readonly address: bigint;
}

/** True: handled, resume with the registers as they are now. False: not ours, the host deals with it. */
export type TrapHandler = (frame: TrapFrame) => boolean;

export interface HostTracepoints {
  /** In a fixed order; the position is the tracepoint's index. */
  readonly list: readonly TracepointDescriptor[];
  /** Turns the tracepoint's own flag on or off. */
  setEnabled(index: number, enabled: boolean): void;
  /** The one receiver of enabled tracepoints. */
  setSink(sink: TracepointSink | null): void;
}

/**
 * Called for each hit of an enabled tracepoint. `args` holds the raw arguments as 64-bit word pairs
 * (sign- or zero-extended as in the C call); the array is reused and valid only during the call.
 */
export type TracepointSink = (index: number, args: Int32Array, cpu: number) => void;

/** Periodic interruptions for PERF_COUNT_SW_CPU_CLOCK and friends. */
export interface HostSampler {
  /**
   * Interrupts `cpu` every `periodNs` nanoseconds of its running time and calls `handler` with the
   * registers interrupted. Returns the function that stops it.
   */
  start(cpu: number, periodNs: bigint, handler: SampleHandler): () => void;
}

export type SampleHandler = (frame: SampleFrame) => void;

/** One sample; valid only during the call. */
export interface SampleFrame {
  readonly cpu: number;
  readonly regs: PtRegs;
  readonly user: boolean;
}
