import type { Arch } from '../../../arch/index.js';
import { hi32, lo32, u64 } from '../../../base/index.js';
import type { ExecRoom } from '../exec-room.js';
import type { MachineControl } from '../machine-control.js';
import { FrameInMemory, QemuTrapFrame, readWord } from '../qemu-frame.js';
import type { QemuMemory } from '../qemu-memory.js';
import type { QemuText } from '../qemu-text.js';
import type { RspStop } from '../rsp/rsp-stop-reply.js';
import type { TrapContext } from '../trap-context.js';
import type { TrapArch, TrapFacts } from './trap-arch.js';
import type { TrapEngine } from './trap-engine.js';
import { type CodeRange, TrapPath } from './trap-path.js';

/** How gdb numbers the stop at a breakpoint. */
const SIGTRAP = 5;

export interface StubTrapsOptions {
  readonly arch: Arch;
  readonly traps: TrapArch;
  readonly facts: TrapFacts;
  readonly control: MachineControl;
  readonly memory: QemuMemory;
  readonly text: QemuText;
  readonly context: TrapContext;
  /** Where slots are. */
  readonly room: ExecRoom | null;
  /** Where the guest's own handler of breakpoint traps begins, if breakpoints are bytes; null: they are the stub's. */
  readonly handler: bigint | null;
}

/**
 * Traps by the gdb stub: the machine stops at a breakpoint of the stub's own, at the probed place, or, where breakpoints are
 * bytes, at the guest's handler of them. Slow: each stop makes QEMU translate all code anew.
 */
export class StubTraps implements TrapEngine {
  readonly waitMs = 20;
  readonly #o: StubTrapsOptions;
  readonly #frame: QemuTrapFrame;
  readonly #inMemory: FrameInMemory;
  readonly #path: TrapPath;
  readonly #served: number[];

  constructor(options: StubTrapsOptions) {
    this.#o = options;
    this.#frame = new QemuTrapFrame(options.arch.ptRegs);
    this.#inMemory = new FrameInMemory(options.arch.ptRegs, options.memory, []);
    const { control, traps } = options;
    this.#served = control.threads.map(() => 0);
    const runOn = (ms: number, thread?: string): void => this.#runOn(ms, thread);
    const way = { control, traps, runOn, served: (cpu: number) => this.#served[cpu] };
    this.#path = new TrapPath(way, options.facts.symbols, rangesOf(options.room));
    if (options.handler !== null) this.#stopAt(options.handler, true);
  }

  ready(): void {}

  serve(): void {}

  stopped(stop: RspStop): boolean {
    if (stop.kind !== 'stopped' || stop.signal !== SIGTRAP) return false;
    const { control, context, handler, memory } = this.#o;
    const thread = stop.thread ?? control.threads[0];
    const cpu = control.threads.indexOf(thread);
    if (cpu < 0) return false;
    control.cpu.load(thread);
    const pc = control.cpu.get(this.#o.traps.pc);
    this.#enter(cpu);
    try {
      if (pc === handler) {
        this.#handlerEntered(cpu, thread, pc);
        this.#served[cpu]++;
      } else if (memory.breakpointAt(pc) !== undefined) this.#breakpoint(cpu, thread, pc);
    } finally {
      context.leave();
    }
    return true;
  }

  drain(): void {
    // Where breakpoints are the stub's, a CPU that met one stands at it: nothing is ever on its way.
    if (this.#o.handler !== null && !this.#o.context.active) this.#path.drain();
  }

  remove(last: () => void): void {
    const { handler, room } = this.#o;
    if (handler === null) {
      // As for `drain`: only slots may have somebody in them.
      this.#path.whenOutside(rangesOf(room), () => (last(), true));
      return;
    }
    this.#path.whenClear(() => {
      this.#stopAt(handler, false);
      last();
      return true;
    });
  }

  #runOn(ms: number, thread: string | undefined): void {
    this.#o.control.resume(thread);
    const stop = this.#o.control.take(Math.max(1, ms));
    if (stop !== null) this.stopped(stop);
  }

  /** At a breakpoint of the stub's. */
  #breakpoint(cpu: number, thread: string, pc: bigint): void {
    const frame = this.#frame;
    this.#read(frame, cpu, 'breakpoint');
    frame.regs.ip = pc + BigInt(this.#o.arch.probing.trapPcBias);
    if (!this.#o.text.deliver(frame)) {
      this.#stepOver(thread, pc);
      return;
    }
    this.#write();
    while (this.#o.text.takeStep()) if (!this.#step(cpu, thread)) return;
  }

  /** One instruction, then its trap. False: nobody took it. */
  #step(cpu: number, thread: string): boolean {
    const { control, traps, text, context } = this.#o;
    this.#stepOver(thread, control.cpu.get(traps.pc));
    context.leave();
    this.#enter(cpu);
    this.#read(this.#frame, cpu, 'step');
    const handled = text.deliver(this.#frame);
    if (handled) this.#write();
    return handled;
  }

  /** At the guest's handler: the registers of the trap lie in its memory. */
  #handlerEntered(cpu: number, thread: string, pc: bigint): void {
    const { control, traps, text, memory } = this.#o;
    const pointer = control.cpu.get(traps.handler.argument);
    const frame = this.#frame;
    if (this.#inMemory.open(frame.regs, lo32(pointer), hi32(pointer)) && this.#isBreakpointTrap(frame)) {
      frame.cpu = cpu;
      frame.kind = 'breakpoint';
      frame.user = traps.isUser(frame.regs);
      const handled = text.deliver(frame);
      this.#inMemory.close();
      if (handled && traps.handler.leave(control.cpu, (address) => readWord(memory, address))) {
        control.cpu.flush();
        return;
      }
    }
    this.#stepOver(thread, pc);
  }

  /** A kernel may take all its traps in one function: this one is a breakpoint's only if one stands, or stood, there. */
  #isBreakpointTrap({ regs }: QemuTrapFrame): boolean {
    const { cause } = this.#o.traps.handler;
    return cause === undefined || cause(regs);
  }

  #enter(cpu: number): void {
    const { context, control, traps, facts, memory } = this.#o;
    const root = traps.root(control.cpu);
    context.enter(cpu, 0, 0, root);
    const current = traps.current(control.cpu, facts);
    if (current === null) return;
    const task = typeof current === 'bigint' ? current : (readWord(memory, current.at) ?? 0n);
    context.enterTask(cpu, task, root);
  }

  #read(frame: QemuTrapFrame, cpu: number, kind: 'breakpoint' | 'step'): void {
    const { control, traps, arch } = this.#o;
    const { regs } = frame;
    regs.words = new Int32Array(arch.ptRegs.size >> 2);
    regs.base = 0;
    for (const [slot, name] of arch.ptRegs.names.entries()) {
      const register = traps.registers[name];
      if (register !== undefined) regs.put(slot, control.cpu.get(register));
    }
    traps.fromCpu?.(regs, control.cpu);
    frame.cpu = cpu;
    frame.kind = kind;
    frame.user = false;
  }

  #write(): void {
    const { control, traps, arch } = this.#o;
    const { regs } = this.#frame;
    for (const [slot, name] of arch.ptRegs.names.entries()) {
      const register = traps.registers[name];
      if (register !== undefined) control.cpu.set(register, u64(regs.lo(slot), regs.hi(slot)));
    }
    traps.toCpu?.(regs, control.cpu);
    control.cpu.flush();
  }

  /** Executes the instruction at `pc` with the stub's breakpoint out of the way, and loads the registers after it. */
  #stepOver(thread: string, pc: bigint): void {
    const { control, memory, handler, arch, traps } = this.#o;
    const { client } = control;
    const size = pc === handler ? arch.probing.minInsnLength : (memory.breakpointAt(pc)?.length ?? 0);
    if (size > 0) client.removeBreakpoint(pc, Math.max(size, arch.probing.minInsnLength));
    control.step(thread, pc, traps.pc);
    if (size > 0) client.insertBreakpoint(pc, Math.max(size, arch.probing.minInsnLength));
  }

  #stopAt(address: bigint, on: boolean): void {
    const { client } = this.#o.control;
    const size = this.#o.arch.probing.minInsnLength;
    if (on) client.insertBreakpoint(address, size);
    else client.removeBreakpoint(address, size);
  }
}

function rangesOf(room: ExecRoom | null): CodeRange[] {
  return room === null ? [] : [{ from: room.address, to: room.address + BigInt(room.size) }];
}
