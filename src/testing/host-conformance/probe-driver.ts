import { type InsnMemory, type ProbePlan, type PtRegs, ptRegsView } from '../../arch/index.js';
import { hex64, hi32, lo32, u64 } from '../../base/index.js';
import type { Host, HostText, TrapFrame } from '../../host/index.js';
import { readHit, type HitReading } from './hit-reading.js';
import type { HostBench } from './host-bench.js';
import { must } from './host-check.js';

/** So far from where it should be a trap is still taken for that of the probe, so that one mistake has one name. */
const NEAR = 4n;
/** Room for a bare breakpoint, and behind it for a displaced instruction with one. */
export const SLOT_BYTES = 64;
const DISPLACED_AT = 32n;
/** Hits whose surroundings are read; all are counted. */
const READINGS_MAX = 200;
/** Displaced instructions move the stack pointer by less. */
const STACK_NEAR = 1024n;

type Plan = Exclude<ProbePlan, { kind: 'refuse' }>;
type Place = 'probe' | 'bare' | 'slot' | 'return';

/** A hit whose displaced instruction has not been executed. */
interface Pending {
  readonly sp: bigint;
  readonly saved: PtRegs;
  readonly interrupts: number;
}

/** What a driver has seen. Every number starts at 0. */
export interface TrapTally {
  /** Traps at the probe while its breakpoint was in. */
  hits: number;
  /** Hits after which the CPU went where the handler had sent it: a bare breakpoint in executable memory. */
  redirected: number;
  /** Of these: where the register that the handler had changed came back as the handler left it. */
  marked: number;
  /** Hits whose instruction was executed. */
  stepped: number;
  /** Returns that arrived at the trampoline, and those of them that belong to no hit. */
  returned: number;
  strayReturns: number;
  /** Traps at the probe after its breakpoint was taken out: while draining, and after that. */
  draining: number;
  late: number;
  /** Traps at other places, from kernel and user mode, that the handler answered with false. */
  passed: number;
}

/**
 * Plays the kprobe layer's part with as little as can be had, so that what it sees is the host's doing: puts a breakpoint
 * on one instruction, sends each hit over a bare breakpoint in executable memory, and executes what it displaced.
 */
export class ProbeDriver {
  readonly address: bigint;
  readonly tally: TrapTally = {
    hits: 0,
    redirected: 0,
    marked: 0,
    stepped: 0,
    returned: 0,
    strayReturns: 0,
    draining: 0,
    late: 0,
    passed: 0,
  };
  readonly readings: HitReading[] = [];
  /** Kinds of the traps taken, distances of their pc from where it should be, and user flags that contradict the pc. */
  readonly kinds = new Set<string>();
  readonly distances = new Set<bigint>();
  wrongUserFlags = 0;
  /** Names of registers that came back from the bare breakpoint with another value. */
  readonly disturbed = new Set<string>();
  /** The first thing that went wrong in a handler. */
  problem: string | null = null;
  /** Whether returns are sent through the trampoline. */
  readonly #followsReturns: boolean;
  readonly #bench: HostBench;
  readonly #host: Host;
  readonly #text: HostText;
  readonly #memory: InsnMemory;
  readonly #plan: Plan;
  readonly #original: Uint8Array;
  readonly #breakpoint: Uint8Array;
  readonly #room: bigint;
  readonly #pending: Pending[] = [];
  readonly #returns: { readonly frame: bigint; readonly to: bigint }[] = [];
  #state: 'out' | 'in' | 'draining' = 'out';

  constructor(bench: HostBench, address: bigint, original: Uint8Array, followsReturns: boolean) {
    const { host, text } = bench;
    this.#bench = bench;
    const { probing } = host.arch;
    const plan = probing.plan(original, address);
    must(
      plan.kind !== 'refuse',
      () => `no probe can be placed at ${host.symbols.format(address)}: choose another function`,
    );
    const room = text.allocExec(SLOT_BYTES);
    must(room !== null, `allocExec(${SLOT_BYTES}) gives null`);
    this.#host = host;
    this.#text = text;
    this.address = address;
    this.#plan = plan;
    this.#followsReturns = followsReturns;
    this.#breakpoint = probing.breakpoint(plan.length);
    this.#original = original.slice(0, this.#breakpoint.length);
    this.#room = room;
    const { memory } = host;
    this.#memory = {
      read: (lo, hi, dst, length) => memory.readKernel(lo, hi, dst, 0, length),
      write: (lo, hi, src, length) => memory.writeKernel(lo, hi, src, 0, length),
    };
    this.#fillRoom(original.slice(0, plan.length));
  }

  /** Calls that have been sent through the trampoline and not come back. */
  get outstanding(): number {
    return this.#returns.length;
  }

  arm(): void {
    this.#state = 'in';
    this.#patch(this.#original, this.#breakpoint, 'putting the breakpoint in');
  }

  /** Takes the breakpoint out and waits for the traps under way. */
  disarm(): void {
    this.#patch(this.#breakpoint, this.#original, 'taking the breakpoint out');
    this.#state = 'draining';
    this.#text.drain?.();
    this.#state = 'out';
  }

  release(): void {
    this.#text.freeExec(this.#room, SLOT_BYTES);
  }

  readonly handle = (frame: TrapFrame): boolean => {
    try {
      return this.#take(frame);
    } catch (error) {
      this.problem ??= error instanceof Error ? error.message : String(error);
      return false;
    }
  };

  #take(frame: TrapFrame): boolean {
    if (frame.kind === 'fault') return false;
    const { regs } = frame;
    const pc = regs.ip - BigInt(this.#host.arch.probing.trapPcBias);
    this.#judgeUserFlag(frame);
    const [place, at] = this.#placeOf(pc);
    if (place === null) {
      this.tally.passed++;
      return false;
    }
    this.kinds.add(frame.kind);
    this.distances.add(pc - at);
    if (place === 'probe') return this.#hit(frame);
    if (place === 'bare') return this.#redirected(regs);
    return place === 'slot' ? this.#stepped(regs) : this.#returned(regs);
  }

  /** Where user addresses are no range of their own only kernel text tells the mode. */
  #judgeUserFlag({ regs, user }: TrapFrame): void {
    const { memory, symbols } = this.#host;
    const { ip } = regs.layout;
    const inKernel =
      this.#bench.facts.userEnd === undefined
        ? /^[tTwW]$/.test(symbols.at(regs.ip)?.type ?? '')
        : !memory.isUser(regs.lo(ip), regs.hi(ip));
    const inUser = this.#bench.facts.userEnd !== undefined && !inKernel;
    if ((user && inKernel) || (!user && inUser)) this.wrongUserFlags++;
  }

  /** Which of the breakpoints this is, and where it stands. Exact matches first. */
  #placeOf(pc: bigint): [Place | null, bigint] {
    const places: [Place, bigint][] = [
      ['probe', this.address],
      ['bare', this.#room],
      ['slot', this.#room + DISPLACED_AT + BigInt(this.#plan.length)],
    ];
    if (this.#followsReturns) places.push(['return', this.#text.returnTrampoline ?? 0n]);
    const near = (at: bigint): boolean => pc - at <= NEAR && at - pc <= NEAR;
    return places.find(([, at]) => at === pc) ?? places.find(([, at]) => near(at)) ?? [null, 0n];
  }

  #hit(frame: TrapFrame): boolean {
    const { regs } = frame;
    if (this.#state !== 'in') {
      if (this.#state === 'draining') this.tally.draining++;
      else this.tally.late++;
      regs.ip = this.address;
      return true;
    }
    this.tally.hits++;
    if (this.readings.length < READINGS_MAX) this.readings.push(readHit(this.#bench, frame));
    const words = new Int32Array(regs.layout.size >> 2);
    regs.copyTo(words, 0);
    const interrupts = this.#host.arch.probing.maskInterrupts(regs);
    this.#pending.push({ sp: regs.sp, saved: ptRegsView(regs.layout, words), interrupts });
    regs.put(markSlot(regs), this.#mark);
    regs.ip = this.#room;
    return true;
  }

  /** The bare breakpoint: the CPU is where it was sent. Now the instruction is executed. */
  #redirected(regs: PtRegs): boolean {
    const pending = this.#takePending(regs.sp);
    if (pending === null) return this.#lost(regs, 'a trap at the bare breakpoint that no hit was sent to');
    const { saved, interrupts } = pending;
    const slot = markSlot(regs);
    this.tally.redirected++;
    if (regs.get(slot) === this.#mark) this.tally.marked++;
    regs.put(slot, saved.get(slot));
    this.#compare(regs, saved);
    if (this.#followsReturns) this.#hijack(regs);
    if (this.#plan.kind === 'slot') {
      this.#pending.push({ sp: regs.sp, saved, interrupts });
      regs.ip = this.#room + DISPLACED_AT;
      return true;
    }
    this.#host.arch.probing.restoreInterrupts(regs, interrupts);
    must(this.#plan.simulate(regs, this.#memory), 'the simulated instruction faults: its memory cannot be reached');
    this.tally.stepped++;
    return true;
  }

  #stepped(regs: PtRegs): boolean {
    const pending = this.#takePending(regs.sp);
    if (pending === null) return this.#lost(regs, 'a trap behind the displaced instruction that no hit was sent to');
    this.#host.arch.probing.restoreInterrupts(regs, pending.interrupts);
    regs.ip = this.address + BigInt(this.#plan.length);
    this.tally.stepped++;
    return true;
  }

  #hijack(regs: PtRegs): void {
    const { returns } = this.#host.arch;
    const out = new Int32Array(4);
    const trampoline = this.#text.returnTrampoline ?? 0n;
    must(returns.readEntry(regs, this.#memory, out), 'the return address cannot be read');
    const [to, frame] = [u64(out[0], out[1]), u64(out[2], out[3])];
    const [lo, hi] = [lo32(trampoline), hi32(trampoline)];
    must(returns.redirect(regs, this.#memory, lo, hi), 'the return address cannot be replaced');
    this.#returns.push({ frame, to });
  }

  #returned(regs: PtRegs): boolean {
    const out = new Int32Array(4);
    this.#host.arch.returns.readReturn(regs, out);
    this.tally.returned++;
    const frame = u64(out[2], out[3]);
    const index = this.#returns.findIndex((entry) => entry.frame === frame);
    if (index < 0) this.tally.strayReturns++;
    const [entry] = this.#returns.splice(Math.max(index, 0), 1);
    if (entry === undefined) return this.#lost(regs, 'a return that no call was sent through');
    this.#host.arch.returns.resume(regs, lo32(entry.to), hi32(entry.to));
    return true;
  }

  #compare(regs: PtRegs, saved: PtRegs): void {
    const { layout } = regs;
    for (const slot of [layout.sp, layout.fp, layout.ret, ...layout.args]) {
      if (regs.get(slot) !== saved.get(slot)) this.disturbed.add(layout.names[slot] ?? `slot ${slot}`);
    }
  }

  /** The hit whose stack this is: CPU numbers are not trusted here. */
  #takePending(sp: bigint): Pending | null {
    const near = (p: Pending): boolean => p.sp - sp < STACK_NEAR && sp - p.sp < STACK_NEAR;
    const exact = this.#pending.findIndex((p) => p.sp === sp);
    const index = exact >= 0 ? exact : this.#pending.findIndex(near);
    return index < 0 ? null : (this.#pending.splice(index, 1)[0] ?? null);
  }

  #lost(regs: PtRegs, what: string): boolean {
    this.problem ??= `${what}, at ${hex64(regs.ip)} with the stack at ${hex64(regs.sp)}`;
    return false;
  }

  get #mark(): bigint {
    return this.#host.arch.pointerSize === 8 ? 0x5ca1_ab1e_0ddb_a115n : 0x5ca1_ab1en;
  }

  #patch(from: Uint8Array, to: Uint8Array, what: string): void {
    must(this.#text.patch(this.address, from, to), () => `${what} at ${hex64(this.address)}: patch gives false`);
  }

  #fillRoom(insn: Uint8Array): void {
    const breakpoint = this.#host.arch.probing.slotBreakpoint(insn.length);
    this.#overwrite(this.#room, breakpoint);
    if (this.#plan.kind !== 'slot') return;
    const moved = this.#plan.relocate(this.#room + DISPLACED_AT);
    must(moved !== null, 'executable memory is out of reach for the displaced instruction');
    this.#overwrite(this.#room + DISPLACED_AT, moved);
    this.#overwrite(this.#room + DISPLACED_AT + BigInt(moved.length), breakpoint);
  }

  #overwrite(address: bigint, bytes: Uint8Array): void {
    const found = new Uint8Array(bytes.length);
    const [lo, hi] = [lo32(address), hi32(address)];
    must(this.#memory.read(lo, hi, found, found.length), () => `executable memory at ${hex64(address)} cannot be read`);
    must(this.#text.patch(address, found, bytes), () => `executable memory at ${hex64(address)} cannot be patched`);
  }
}

/** The last argument register: a caller expects nothing of it, and it is put back. */
function markSlot(regs: PtRegs): number {
  const { args, ret } = regs.layout;
  return args.findLast((slot) => slot !== ret) ?? ret;
}
