import type { Arch } from '../../../arch/index.js';
import type { GuestRam, RamView } from '../../guest/index.js';
import type { MachineControl } from '../machine-control.js';
import { FrameInMemory, QemuTrapFrame } from '../qemu-frame.js';
import type { QemuMemory } from '../qemu-memory.js';
import type { QemuText } from '../qemu-text.js';
import type { RspStop } from '../rsp/rsp-stop-reply.js';
import type { TrapContext } from '../trap-context.js';
import type { TrapArch } from './trap-arch.js';
import type { TrapEngine } from './trap-engine.js';
import { TrapHook, type TrapHookOptions } from './trap-hook.js';
import { TrapSlots } from './trap-slots.js';
import { SlotState, TrapSlot } from './trap-stub.js';

/** Signal of a stop that QEMU has no signal for: a panic device was written to. */
const UNKNOWN_SIGNAL = 0x8f;
/** Looks at all slots between two looks at the clock. */
const LOOKS = 256;
/** Rounds of looks without a trap before it naps, some ten microseconds, and how long. */
const IDLE_ROUNDS = 8;
const NAP_MS = 0.1;

export interface MailboxTrapsOptions extends Omit<TrapHookOptions, 'runOn' | 'served'> {
  readonly arch: Arch;
  readonly traps: TrapArch;
  readonly control: MachineControl;
  readonly memory: QemuMemory;
  readonly ram: GuestRam;
  readonly views: readonly RamView[];
  readonly text: QemuText;
  readonly context: TrapContext;
  /** Physical address of the slots. */
  readonly slots: number;
  /** Whether the stub stops the machine when it has posted a trap. */
  readonly stops: boolean;
}

/**
 * Traps by mailbox: the guest's own handler of breakpoint traps is entered through a stub, which posts the trap in the slot
 * of its CPU, in RAM that this process sees, and waits there for the answer. The machine goes on running, or (`stops`)
 * stops itself through a device until the answer is there.
 */
export class MailboxTraps implements TrapEngine {
  readonly waitMs: number;
  readonly #control: MachineControl;
  readonly #traps: TrapArch;
  readonly #text: QemuText;
  readonly #context: TrapContext;
  readonly #slots: TrapSlots;
  readonly #stops: boolean;
  readonly #nap = new Int32Array(new SharedArrayBuffer(4));
  readonly #postsCurrent: boolean;
  readonly #frame: QemuTrapFrame;
  readonly #inMemory: FrameInMemory;
  readonly #hook: TrapHook;
  readonly #served: number[];

  constructor(options: MailboxTrapsOptions) {
    this.#control = options.control;
    this.#traps = options.traps;
    this.#text = options.text;
    this.#context = options.context;
    this.#stops = options.stops;
    this.#postsCurrent = options.traps.postsCurrent(options.facts);
    this.waitMs = options.stops ? 20 : 0;
    this.#slots = new TrapSlots(options.ram, options.views, options.slots, options.control.threads.length);
    this.#frame = new QemuTrapFrame(options.arch.ptRegs);
    this.#inMemory = new FrameInMemory(options.arch.ptRegs, options.memory, options.views);
    this.#served = options.control.threads.map(() => 0);
    this.#hook = new TrapHook({
      ...options,
      runOn: (ms, thread) => this.#runOn(ms, thread),
      served: (cpu) => this.#served[cpu],
    });
  }

  /** Who interrupts the machine while it is about to stop itself gets one stop for both: the slots tell. */
  ready(): void {
    this.#serveAll();
  }

  serve(ms: number): void {
    if (this.#stops) return;
    const end = performance.now() + ms;
    let idle = 0;
    do {
      idle = this.#lookAround() ? 0 : idle + 1;
      // The emulator may need the processor that looking takes.
      if (idle > IDLE_ROUNDS) Atomics.wait(this.#nap, 0, 0, NAP_MS);
    } while (performance.now() < end);
  }

  stopped(stop: RspStop): boolean {
    if (stop.kind !== 'stopped' || stop.signal !== UNKNOWN_SIGNAL || !this.#stops) return false;
    // None: it was answered together with another CPU's, before its own stop came about.
    this.#serveAll();
    return true;
  }

  drain(): void {
    if (!this.#context.active) this.#hook.drain();
  }

  remove(last: () => void): void {
    this.#hook.remove(last);
  }

  #runOn(ms: number, thread: string | undefined): void {
    this.#serveAll();
    this.#control.resume(thread);
    this.serve(ms);
    const stop = this.#control.take(this.#stops ? Math.max(1, ms) : 0);
    if (stop !== null) this.stopped(stop);
  }

  /** Whether there was a trap among many looks. */
  #lookAround(): boolean {
    let found = false;
    for (let look = 0; look < LOOKS; look++) if (this.#serveAll()) found = true;
    return found;
  }

  /** Whether there was a trap. */
  #serveAll(): boolean {
    const slots = this.#slots;
    let found = false;
    for (let cpu = 0; cpu < slots.cpus; cpu++) {
      if (slots.state(cpu) !== SlotState.posted) continue;
      found = true;
      slots.answer(cpu, this.#serve(cpu) ? SlotState.handled : SlotState.passedOn);
      this.#served[cpu]++;
    }
    return found;
  }

  #serve(cpu: number): boolean {
    const slots = this.#slots;
    const frame = this.#frame;
    const root = this.#traps.postedRoot(slots.word(cpu, TrapSlot.root), slots.word(cpu, TrapSlot.root + 4));
    if (this.#postsCurrent)
      this.#context.enter(cpu, slots.word(cpu, TrapSlot.current), slots.word(cpu, TrapSlot.current + 4), root);
    else this.#context.enter(cpu, 0, 0, root);
    try {
      if (!this.#inMemory.open(frame.regs, slots.word(cpu, TrapSlot.regs), slots.word(cpu, TrapSlot.regs + 4)))
        return false;
      frame.cpu = cpu;
      frame.user = this.#traps.isUser(frame.regs);
      const handled = this.#text.deliver(frame);
      this.#inMemory.close();
      return handled;
    } finally {
      this.#context.leave();
    }
  }
}
