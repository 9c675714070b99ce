import type { InsnMemory, PtRegs } from '../arch/index.js';
import { hi32, lo32, u64 } from '../base/index.js';
import type { Host, HostUserText, TrapFrame, UserPlace } from '../host/index.js';
import type { Uprobe } from './uprobe.js';
import { type UprobePoint, type UprobeSite, UserSlots } from './uprobe-point.js';
import { type FollowedCall, URETPROBE_DEPTH_MAX, UretprobeCalls } from './uretprobe-calls.js';

/**
 * The way of a user breakpoint: address -> file and offset -> point -> handlers -> the displaced instruction, simulated or
 * out of line -> resume. No state is kept for an instruction out of line: the breakpoint behind it says where to go on, also to
 * a child that was forked inside.
 */
export class UprobeTraps {
  /** Another number whenever the registers may differ from those that a handler saw before. */
  generation = 0;
  readonly #host: Host;
  readonly #user: HostUserText;
  readonly #memory: InsnMemory;
  readonly #points = new Map<number, Map<number, UprobePoint>>();
  readonly #slots: UserSlots;
  readonly #calls = new UretprobeCalls();
  readonly #place: UserPlace = { file: 0, offset: 0 };
  readonly #pair = new Int32Array(2);
  readonly #entry = new Int32Array(4);
  readonly #byte: Uint8Array;
  readonly #stop: () => void;
  #count = 0;

  constructor(host: Host, user: HostUserText) {
    const { memory, tasks } = host;
    this.#host = host;
    this.#user = user;
    this.#memory = {
      read: (lo, hi, dst, length) => memory.readUser(lo, hi, dst, 0, length),
      write: (lo, hi, src, length) => memory.writeUser(lo, hi, src, 0, length),
    };
    this.#slots = UserSlots.on(user, host.arch.probing);
    this.#byte = new Uint8Array(host.arch.probing.minInsnLength);
    const stopExits = tasks.onExit?.((lo, hi) => this.#calls.exited(lo, hi));
    const stopForks = user.onFork((parent, child) => this.#calls.forked(parent, child));
    this.#stop = () => {
      stopExits?.();
      stopForks();
    };
  }

  /** Whether no trap can come that the next registry does not know how to take. */
  get idle(): boolean {
    return this.#count === 0 && this.#calls.empty;
  }

  /** Follows tasks no longer, where no call is under way. */
  close(): void {
    if (this.#count === 0 && this.#calls.empty) this.#stop();
  }

  point(file: number, offset: number): UprobePoint | undefined {
    return this.#points.get(file)?.get(offset);
  }

  add(point: UprobePoint): void {
    const known = this.#points.get(point.file.id);
    if (known === undefined) this.#points.set(point.file.id, new Map([[point.offset, point]]));
    else known.set(point.offset, point);
    this.#count++;
  }

  /** Idempotent. */
  remove(point: UprobePoint): void {
    const known = this.#points.get(point.file.id);
    if (known?.get(point.offset) !== point) return;
    known.delete(point.offset);
    this.#count--;
  }

  readonly handle = (frame: TrapFrame): boolean => {
    if (!frame.user || frame.kind !== 'breakpoint') return false;
    const { regs } = frame;
    const address = u64(regs.lo(regs.layout.ip), regs.hi(regs.layout.ip)) - BigInt(this.#host.arch.probing.trapPcBias);
    if (address === this.#user.returnTrampoline) return this.#returned(frame);
    const site = this.#slots.ends.get(address);
    if (site !== undefined) return goOn(regs, site);
    const [lo, hi] = [lo32(address), hi32(address)];
    const found = this.#user.locate(lo, hi, this.#place);
    const point = found ? this.point(this.#place.file, this.#place.offset) : undefined;
    if (point !== undefined && point.armed) return this.#hit(frame, point, address);
    return this.#retry(regs, lo, hi);
  };

  #hit(frame: TrapFrame, point: UprobePoint, address: bigint): boolean {
    const { regs } = frame;
    regs.put(regs.layout.ip, address);
    const site = point.site(this.#host.arch.probing, address);
    if (site === null) return false;
    this.generation++;
    this.#host.tasks.pidTgid(this.#pair);
    const wanting = this.#runHandlers(point, this.#pair[1], regs, frame.cpu);
    if (wanting.length > 0) this.#follow(point, wanting, regs);
    return this.#execute(regs, point, site, address);
  }

  /** The probes whose returns are to be told. */
  #runHandlers(point: UprobePoint, tgid: number, regs: PtRegs, cpu: number): readonly Uprobe[] {
    const { probes } = point;
    let wanting: Uprobe[] | null = null;
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i];
      if (!probe.wants(tgid)) continue;
      probe.nhit++;
      probe.handler?.(probe, regs, cpu);
      if (probe.retHandler !== null && probe.registered) (wanting ??= []).push(probe);
    }
    return wanting ?? NONE;
  }

  /** prepare_uretprobe(): sends the return of the call that begins here to the trampoline. */
  #follow(point: UprobePoint, probes: readonly Uprobe[], regs: PtRegs): void {
    const { returns } = this.#host.arch;
    const entry = this.#entry;
    if (!returns.readEntry(regs, this.#memory, entry)) return missAll(probes, 'fault');
    const frame = u64(entry[2], entry[3]);
    const trampoline = this.#user.returnTrampoline;
    let returnTo = u64(entry[0], entry[1]);
    const [lo, hi, space] = this.#current();
    const calls = this.#calls.of(lo, hi, space);
    const chained = returnTo === trampoline;
    // The stack grows down: frames below this one were left, and so was one at this place unless it was jumped from.
    this.#calls.unwind(
      calls,
      calls.findLastIndex((call) => call.frame > frame || (chained && call.frame === frame)) + 1,
    );
    if (calls.length >= URETPROBE_DEPTH_MAX) return missAll(probes, 'depth');
    if (chained) {
      const outer = calls.at(-1);
      if (outer === undefined) return missAll(probes, 'fault');
      returnTo = outer.returnTo;
    } else if (!returns.redirect(regs, this.#memory, lo32(trampoline), hi32(trampoline))) {
      return missAll(probes, 'fault');
    }
    this.#calls.push(lo, hi, space, { point, probes, frame, returnTo });
  }

  /** handle_trampoline() */
  #returned(frame: TrapFrame): boolean {
    const { regs, cpu } = frame;
    const { returns } = this.#host.arch;
    const [lo, hi, space] = this.#current();
    const calls = this.#calls.of(lo, hi, space);
    returns.readReturn(regs, this.#entry);
    const at = u64(this.#entry[2], this.#entry[3]);
    const innermost = calls.findLastIndex((call) => call.frame === at);
    if (innermost < 0) return false;
    this.#calls.unwind(calls, innermost + 1);
    const first = calls.findIndex((call) => call.frame === at);
    const done = calls.splice(first).toReversed();
    const { returnTo } = done[0];
    returns.resume(regs, lo32(returnTo), hi32(returnTo));
    this.generation++;
    for (const call of done) tell(call, regs, cpu);
    this.#calls.settle(lo, hi);
    return true;
  }

  #execute(regs: PtRegs, point: UprobePoint, site: UprobeSite, address: bigint): boolean {
    const { plan } = site;
    if (plan.kind === 'simulate' && plan.simulate(regs, this.#memory)) return true;
    // Out of line a fault is the program's own, and the kernel mends it.
    const slot = this.#slots.of(point, site, address);
    if (slot === null) return false;
    regs.set(regs.layout.ip, slot.lo, slot.hi);
    return true;
  }

  #current(): [lo: number, hi: number, space: number] {
    this.#host.tasks.current(this.#pair);
    return [this.#pair[0], this.#pair[1], this.#user.currentSpace()];
  }

  /**
   * No probe of ours. If the program has no breakpoint there, it was one that has been removed after the CPU had met it: the
   * instruction is executed anew. Otherwise it is the program's own.
   */
  #retry(regs: PtRegs, lo: number, hi: number): boolean {
    if (!this.#memory.read(lo, hi, this.#byte, this.#byte.length)) return false;
    if (this.#host.arch.probing.isBreakpoint(this.#byte)) return false;
    regs.set(regs.layout.ip, lo, hi);
    return true;
  }
}

const NONE: readonly Uprobe[] = [];

function goOn(regs: PtRegs, site: UprobeSite): boolean {
  regs.set(regs.layout.ip, site.nextLo, site.nextHi);
  return true;
}

function tell({ probes }: FollowedCall, regs: PtRegs, cpu: number): void {
  for (const probe of probes) {
    probe.nactive--;
    if (!probe.registered) {
      probe.missed.unregistered++;
      continue;
    }
    probe.nreturned++;
    if (probe.enabled) probe.retHandler?.(probe, regs, cpu);
  }
}

function missAll(probes: readonly Uprobe[], cause: 'depth' | 'fault'): void {
  for (const probe of probes) probe.missed[cause]++;
}
