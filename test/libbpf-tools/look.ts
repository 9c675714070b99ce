import { hi32, lo32, u64 } from '../../src/base/index.js';
import { Reg } from '../../src/host/sim/cpu/cpu-state.js';
import type { X86Cpu } from '../../src/host/sim/cpu/x86-cpu.js';
import type { SimHost } from '../../src/host/sim/index.js';
import type { KernelLayout } from '../../src/host/sim/kernel-layout.js';

/** Registers of a function's arguments. */
export const ARGUMENTS = [Reg.DI, Reg.SI, Reg.DX, Reg.CX, Reg.R8, Reg.R9] as const;
const TEXT_MAX = 256;
const THREAD_SIZE = 16_384n;
/** Bytes of struct pt_regs, and where it has the instruction and the frame. */
const PT_REGS = { size: 168n, ip: 128n, fp: 32n };
/** Addresses from here on are the kernel's. */
const KERNEL = 1n << 63n;
const FRAMES_MAX = 127;

/** Registers and memory at one moment of the simulated machine. Bytes that are not there read as zero. */
export class Look {
  pid = 0;
  tgid = 0;
  cpu = 0;
  now = 0n;
  /** Current task; each CPU's idle task is one of its own. */
  task = 0;
  readonly #host: SimHost;
  readonly #layout: KernelLayout;
  readonly #pair = new Int32Array(2);
  #registers = new Int32Array(32);

  constructor(host: SimHost, layout: KernelLayout) {
    this.#host = host;
    this.#layout = layout;
  }

  move(cpu: X86Cpu): void {
    const { tasks, clock } = this.#host;
    tasks.pidTgid(this.#pair);
    this.pid = this.#pair[0] ?? 0;
    this.tgid = this.#pair[1] ?? 0;
    clock.monotonic(this.#pair);
    this.now = u64(this.#pair[0] ?? 0, this.#pair[1] ?? 0);
    this.cpu = cpu.number;
    this.task = this.pid === 0 ? -1 - cpu.number : this.pid;
    this.#registers = cpu.r;
  }

  register(index: number): bigint {
    return u64(this.#registers[index] ?? 0, this.#registers[index + 1] ?? 0);
  }

  /** Argument of the function that begins. */
  argument(index: number): bigint {
    return this.register(ARGUMENTS[index] ?? Reg.DI);
  }

  /** What the function that ends returns. */
  get result(): bigint {
    return this.register(Reg.AX);
  }

  /** `count` bytes at a kernel or user address. */
  bytes(address: bigint, count: number): Uint8Array {
    const found = new Uint8Array(count);
    const { memory } = this.#host;
    const [lo, hi] = [lo32(address), hi32(address)];
    if (hi < 0) memory.readKernel(lo, hi, found, 0, count);
    else memory.readUser(lo, hi, found, 0, count);
    return found;
  }

  u64(address: bigint): bigint {
    return new DataView(this.bytes(address, 8).buffer).getBigUint64(0, true);
  }

  u32(address: bigint): number {
    return new DataView(this.bytes(address, 4).buffer).getUint32(0, true);
  }

  u16(address: bigint): number {
    return new DataView(this.bytes(address, 2).buffer).getUint16(0, true);
  }

  /** Address of a member of the kernel's struct at `address`. */
  member(address: bigint, struct: string, path: string): bigint {
    return address + BigInt(this.#layout.offset(struct, path));
  }

  /**
   * Return addresses above the function that begins. Its first instruction was push rbp, or a breakpoint in its place.
   */
  callers(): bigint[] {
    const sp = this.register(Reg.SP);
    const trapped = this.#layout.symbols.at(this.u64(sp) - 1n)?.address === this.u64(sp) - 1n;
    const caller = this.u64(trapped ? this.u64(sp + 24n) : sp + 8n);
    const frame = trapped ? this.register(Reg.BP) : sp;
    const above = this.#frames(frame, (address) => address >= KERNEL);
    return trapped ? [caller, ...above] : above;
  }

  /** Return addresses along the frames from rbp on. */
  kernelFrames(): bigint[] {
    return this.#frames(this.register(Reg.BP), (address) => address >= KERNEL);
  }

  /** Where the current task is in user mode, and who called. Empty for threads of the kernel. */
  userFrames(): bigint[] {
    const task = this.#current();
    if (this.u64(this.member(task, 'task_struct', 'mm')) === 0n) return [];
    const regs = this.u64(this.member(task, 'task_struct', 'stack')) + THREAD_SIZE - PT_REGS.size;
    const ip = this.u64(regs + PT_REGS.ip);
    if (ip === 0n || ip >= KERNEL) return [];
    return [ip, ...this.#frames(this.u64(regs + PT_REGS.fp), (address) => address > 0n && address < KERNEL)];
  }

  /** Tasks that the queue of the current task's entity has, 0 if it never was on one. */
  runQueue(): number {
    const queue = this.u64(this.member(this.#current(), 'task_struct', 'se.cfs_rq'));
    return this.u32(this.member(queue, 'cfs_rq', 'nr_running'));
  }

  #current(): bigint {
    const area = this.#host.symbols.lookup('pcpu_area')?.address ?? 0n;
    return this.u64(this.member(area + BigInt(this.cpu * this.#layout.size('pcpu')), 'pcpu', 'current_task'));
  }

  #frames(from: bigint, isReturn: (address: bigint) => boolean): bigint[] {
    const found: bigint[] = [];
    for (let frame = from; frame !== 0n && found.length < FRAMES_MAX;) {
      const back = this.u64(frame + 8n);
      if (!isReturn(back)) break;
      found.push(back);
      const next = this.u64(frame);
      if (next <= frame) break;
      frame = next;
    }
    return found;
  }

  /** NUL-terminated text. */
  text(address: bigint, max = TEXT_MAX): string {
    const codes: number[] = [];
    for (let i = 0; i < max; i++) {
      const [byte = 0] = this.bytes(address + BigInt(i), 1);
      if (byte === 0) break;
      codes.push(byte);
    }
    return new TextDecoder().decode(Uint8Array.from(codes));
  }
}
