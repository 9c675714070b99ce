import type { Arch, PtRegs } from '../arch/index.js';
import { BpfError, hi32, lo32, u64 } from '../base/index.js';
import type { FollowedReturn, Host, TrapFrame } from '../host/index.js';
import type { Kprobe } from './kprobe.js';
import type { KprobeRegistry } from './kprobe-registry.js';
import { Kretprobe, type KretprobeInstance, type KretprobeMissed, type KretprobeSpec } from './kretprobe.js';
import { TaskInstances, type TaskCalls } from './task-instances.js';

/** Upper bound of `maxactive` (KRETPROBE_MAXACTIVE_MAX). */
export const KRETPROBE_MAXACTIVE_MAX = 4096;

/**
 * The kretprobes of one host. A probe at a function's entry replaces the return address by the host's trampoline
 * and notes the real one in a list of the task; the trap at the trampoline runs the handlers of that frame,
 * newest first, and goes on at the real address.
 */
export class KretprobeRegistry {
  readonly #kprobes: KprobeRegistry;
  readonly #host: Host;
  readonly #arch: Arch;
  readonly #tasks = new TaskInstances();
  readonly #probes = new Set<Kretprobe>();
  readonly #trampolineLo: number;
  readonly #trampolineHi: number;
  /** Address of the current task. */
  readonly #task = new Int32Array(2);
  /** Return address and frame, as ArchReturns puts them. */
  readonly #frame = new Int32Array(4);
  readonly #stopWatching: readonly (() => void)[];
  #closed = false;

  constructor(kprobes: KprobeRegistry) {
    this.#kprobes = kprobes;
    this.#host = kprobes.host;
    this.#arch = kprobes.host.arch;
    const trampoline = kprobes.host.text?.returnTrampoline ?? 0n;
    this.#trampolineLo = lo32(trampoline);
    this.#trampolineHi = hi32(trampoline);
    kprobes.traps.returnHandler = (frame) => this.#returned(frame);
    kprobes.traps.returnsPending = () => !this.#tasks.empty;
    const { tasks, text } = kprobes.host;
    this.#stopWatching = [
      tasks.onExit?.((lo, hi) => this.#exited(lo, hi)),
      text?.onRelease?.(() => this.#followedReturns()),
    ].filter((stop) => stop !== undefined);
  }

  /** All registered return probes but those that serve other hooks, in no particular order. */
  get probes(): Iterable<Kretprobe> {
    return [...this.#probes].filter(({ entry }) => entry.layer === 0);
  }

  /** Tasks that are in followed calls. */
  get tasksInCalls(): number {
    return this.#tasks.size;
  }

  /**
   * register_kretprobe(). Besides the errors of a kprobe: EINVAL where the place is not a function's entry, the host
   * refuses return probes there (Linux's kretprobe_blacklist) or `maxactive` is out of bounds, EOPNOTSUPP where the host has no return trampoline.
   */
  register(spec: KretprobeSpec): Kretprobe {
    const place = this.#kprobes.resolve(spec);
    const what = `placing a return probe at ${this.#host.symbols.format(place.addr)}`;
    if ((this.#host.text?.returnTrampoline ?? null) === null) {
      throw new BpfError('EOPNOTSUPP', what, { remedy: `${this.#host.name} has no return trampoline` });
    }
    if (place.offset !== 0) {
      throw new BpfError('EINVAL', what, { remedy: 'return probes stand at the first instruction of a function' });
    }
    const reason = this.#host.text?.returnBlacklisted?.(place.addr) ?? null;
    if (reason !== null) throw new BpfError('EINVAL', what, { remedy: `return probes are not possible: ${reason}` });
    const kretprobe = new Kretprobe(spec, this.#maxactive(spec, what));
    kretprobe.entry = this.#kprobes.register({
      addr: place.addr,
      preHandler: (_probe, regs, cpu) => this.#entered(kretprobe, regs, cpu),
      disabled: spec.disabled === true,
      layer: spec.layer ?? 0,
    });
    this.#probes.add(kretprobe);
    return kretprobe;
  }

  /** When it returns, no handler is called any more; calls under way return unseen. Idempotent. */
  unregister(kretprobe: Kretprobe): void {
    this.unregisterAll([kretprobe]);
  }

  /** Many at once, for one wait. */
  unregisterAll(kretprobes: Iterable<Kretprobe>): void {
    const entries: Kprobe[] = [];
    for (const kretprobe of kretprobes) {
      if (!this.#probes.delete(kretprobe)) continue;
      kretprobe.registered = false;
      entries.push(kretprobe.entry);
    }
    this.#kprobes.unregisterAll(entries);
  }

  enable(kretprobe: Kretprobe): void {
    this.#kprobes.enable(kretprobe.entry);
  }

  /** New calls are not followed any more; those under way still are. */
  disable(kretprobe: Kretprobe): void {
    this.#kprobes.disable(kretprobe.entry);
  }

  /** Unregisters all return probes. Calls under way still find their way back. */
  close(): void {
    this.unregisterAll([...this.#probes]);
    this.#closed = true;
    this.#stopWhenDone();
  }

  /**
   * Replaces trampoline addresses among `count` stack frames (word pairs, innermost first) of the current task by
   * the addresses they stand for, as Linux's unwinder does.
   */
  recoverStack(frames: Int32Array, count: number): void {
    this.#recover(frames, count, this.#callsOfCurrent()?.head ?? null);
  }

  /** The same for the stack of another task. */
  recoverStackOf(taskLo: number, taskHi: number, frames: Int32Array, count: number): void {
    this.#recover(frames, count, this.#tasks.find(taskLo, taskHi)?.head ?? null);
  }

  #recover(frames: Int32Array, count: number, head: KretprobeInstance | null): void {
    let call = head;
    for (let i = 0; i < count && call !== null; i++) {
      if (!this.#isTrampoline(frames[2 * i], frames[2 * i + 1])) continue;
      call = this.#last(call);
      frames[2 * i] = call.retLo;
      frames[2 * i + 1] = call.retHi;
      call = call.next;
    }
  }

  #maxactive(spec: KretprobeSpec, what: string): number {
    const wanted = spec.maxactive ?? 0;
    if (!Number.isInteger(wanted) || wanted < 0 || wanted > KRETPROBE_MAXACTIVE_MAX) {
      throw new BpfError('EINVAL', what, {
        value: wanted,
        remedy: `maxactive is a number from 0 (default) to ${KRETPROBE_MAXACTIVE_MAX}`,
      });
    }
    return wanted > 0 ? wanted : Math.max(10, 2 * this.#host.cpus);
  }

  /** At the entry of a probed function. */
  #entered(kretprobe: Kretprobe, regs: PtRegs, cpu: number): number {
    const instance = kretprobe.take();
    if (instance === null) {
      kretprobe.missed.maxactive++;
      return 0;
    }
    try {
      if (!this.#follow(kretprobe, instance, regs, cpu)) kretprobe.giveBack(instance);
    } catch (error) {
      // The exception goes to the host; the call is one that the handler did not want.
      kretprobe.nskipped++;
      kretprobe.giveBack(instance);
      throw error;
    }
    return 0;
  }

  #follow(kretprobe: Kretprobe, instance: KretprobeInstance, regs: PtRegs, cpu: number): boolean {
    const frame = this.#frame;
    const { memory } = this.#kprobes.traps;
    this.#host.tasks.current(this.#task);
    const hasTask = this.#task[0] !== 0 || this.#task[1] !== 0;
    if (!hasTask || !this.#arch.returns.readEntry(regs, memory, frame)) {
      kretprobe.missed.fault++;
      return false;
    }
    instance.retLo = frame[0];
    instance.retHi = frame[1];
    instance.frameLo = frame[2];
    instance.frameHi = frame[3];
    if (kretprobe.entryHandler !== null && (kretprobe.entryHandler(instance, regs, cpu) ?? 0) !== 0) {
      kretprobe.nskipped++;
      return false;
    }
    if (!this.#arch.returns.redirect(regs, memory, this.#trampolineLo, this.#trampolineHi)) {
      kretprobe.missed.fault++;
      return false;
    }
    this.#tasks.push(this.#task[0], this.#task[1], instance);
    kretprobe.nactive++;
    return true;
  }

  /** At the trampoline. False if the task is in no followed call: then nobody knows where it belongs. */
  #returned({ regs, cpu }: TrapFrame): boolean {
    const calls = this.#callsOfCurrent();
    if (calls === undefined || calls.head === null) return false;
    this.#arch.returns.readReturn(regs, this.#frame);
    this.#unwindTo(calls, this.#frame[2], this.#frame[3]);
    const last = this.#last(calls.head);
    const { retLo, retHi } = last;
    regs.set(regs.layout.ip, retLo, retHi);
    this.#runHandlers(calls, last, regs, cpu);
    this.#arch.returns.resume(regs, retLo, retHi);
    this.#host.tasks.current(this.#task);
    this.#forget(this.#task[0], this.#task[1]);
    return true;
  }

  /** Runs the handlers of one frame, from the newest call to `last`, and takes the calls off the list. */
  #runHandlers(calls: TaskCalls, last: KretprobeInstance, regs: PtRegs, cpu: number): void {
    let call: KretprobeInstance | null = calls.head;
    while (call !== null) {
      const next: KretprobeInstance | null = call === last ? null : call.next;
      calls.head = call.next;
      try {
        this.#runHandler(call, regs, cpu);
      } finally {
        this.#recycle(call);
      }
      call = next;
    }
  }

  #runHandler(call: KretprobeInstance, regs: PtRegs, cpu: number): void {
    const { kretprobe } = call;
    if (!kretprobe.registered) {
      kretprobe.missed.unregistered++;
      return;
    }
    kretprobe.nreturned++;
    kretprobe.handler(call, regs, cpu);
    this.#kprobes.traps.generation++;
  }

  /**
   * Takes off the calls whose frames were left without returning. If no call has this frame (an architecture that
   * does not tell, or a moved stack) the list's order is believed.
   */
  #unwindTo(calls: TaskCalls, frameLo: number, frameHi: number): void {
    let call = calls.head;
    while (call !== null && (call.frameLo !== frameLo || call.frameHi !== frameHi)) call = call.next;
    if (call === null) return;
    while (calls.head !== call) this.#discard(calls, 'unwound');
  }

  #exited(taskLo: number, taskHi: number): void {
    const calls = this.#tasks.find(taskLo, taskHi);
    if (calls === undefined) return;
    while (calls.head !== null) this.#discard(calls, 'exited');
    this.#forget(taskLo, taskHi);
  }

  /** Forgets a task that is in no followed call. */
  #forget(taskLo: number, taskHi: number): void {
    this.#tasks.drop(taskLo, taskHi);
    this.#stopWhenDone();
  }

  /** After `close`, tasks are watched until the last of them has left its followed calls. */
  #stopWhenDone(): void {
    if (this.#closed && this.#tasks.empty) for (const stop of this.#stopWatching) stop();
  }

  /** Of calls that share a frame (tail calls) only the first to be entered knows where that returns to. */
  *#followedReturns(): IterableIterator<FollowedReturn> {
    for (const head of this.#tasks.heads()) {
      for (let call: KretprobeInstance | null = head; call !== null; call = call.next) {
        if (this.#isTrampoline(call.retLo, call.retHi)) continue;
        yield { frame: u64(call.frameLo, call.frameHi), address: call.retAddr };
      }
    }
  }

  #discard(calls: TaskCalls, cause: keyof KretprobeMissed): void {
    const call = calls.head as KretprobeInstance;
    calls.head = call.next;
    call.kretprobe.missed[cause]++;
    this.#recycle(call);
  }

  #recycle(call: KretprobeInstance): void {
    call.kretprobe.nactive--;
    call.kretprobe.giveBack(call);
  }

  /** The call at or below `call` that holds the real return address of its frame. */
  #last(call: KretprobeInstance): KretprobeInstance {
    let last = call;
    while (this.#isTrampoline(last.retLo, last.retHi) && last.next !== null) last = last.next;
    return last;
  }

  #callsOfCurrent(): TaskCalls | undefined {
    this.#host.tasks.current(this.#task);
    return this.#tasks.find(this.#task[0], this.#task[1]);
  }

  #isTrampoline(lo: number, hi: number): boolean {
    return lo === this.#trampolineLo && hi === this.#trampolineHi;
  }
}
