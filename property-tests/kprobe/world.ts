import type { PtRegs } from '../../src/arch/index.js';
import { BpfAttachType, BpfProgType, u64 } from '../../src/base/index.js';
import {
  KprobePrograms,
  KprobeRegistry,
  KretprobeRegistry,
  type Kprobe,
  type Kretprobe,
  type MultiOn,
} from '../../src/kprobe/index.js';
import { CALLER, makeTask, TestHost, type TestTask } from '../../test/support/test-host.js';
import { TestRuntime } from '../../test/support/test-runtime.js';
import { call, FRAME, FRAME_INSNS, jump, LEAF } from '../../test/support/text.js';
import {
  type Behaviour,
  checkLink,
  checkProbe,
  checkReturn,
  type ModelLink,
  type ModelProbe,
  type ModelReturnProbe,
} from './model.js';

export const CPUS = 3;
export const TASKS = 4;
/** frame at 0, leaf at 16, caller at 32 (push; call frame; call leaf; pop; ret), tail at 48 (jumps to frame). */
const FUNCTIONS = {
  frame: FRAME,
  leaf: LEAF,
  caller: [0x55, ...call(0 - 38), ...call(16 - 43), 0x5d, 0xc3],
  tail: jump(0 - 53),
};
export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as readonly (keyof typeof FUNCTIONS)[];
export const PLACES: readonly { symbolName: string; offset: number }[] = [
  ...FRAME_INSNS.map((offset) => ({ symbolName: 'frame', offset })),
  ...[0, 1].map((offset) => ({ symbolName: 'leaf', offset })),
  ...[0, 1, 6, 11, 12].map((offset) => ({ symbolName: 'caller', offset })),
  { symbolName: 'tail', offset: 0 },
];
const SLOT_AREA = 0xffff_ffff_a000_0000n;
const TRAMPOLINE = 0xffff_ffff_8300_0000n;
export const ARGUMENT = 0x1234n;
/** Where the pc stands in a program's context. */
const IP = 8 * 16;

/** A call that a return probe follows, by the place of its return address on the stack. */
interface FollowedCall {
  readonly probe: ModelReturnProbe;
  readonly frame: bigint;
  /** Another call of the same frame is followed too, and was there first. */
  readonly chained: boolean;
}

interface ModelTask {
  readonly task: TestTask;
  regs: PtRegs | null;
  /** Newest last. */
  readonly followed: FollowedCall[];
  /** CPU on which it runs a displaced instruction and that it cannot leave. */
  pinned: number | null;
  /** The point whose displaced instruction that is. */
  stepping: bigint;
  /** A handler cut a function short, or it has no result: what it returns says nothing. */
  redirected: boolean;
  /** During the judgement of one hit: a return probe has taken the return address already. */
  hijacked: boolean;
}

/**
 * A small machine with the real registries, and beside them a model that knows only lists and counters. Each
 * instruction is first judged by the model, then executed; `check` compares.
 */
export class World {
  readonly host = new TestHost({ cpus: CPUS, functions: FUNCTIONS });
  readonly kprobes = new KprobeRegistry(this.host);
  readonly kretprobes = new KretprobeRegistry(this.kprobes);
  readonly bpf = new TestRuntime(this.host);
  readonly programs = new KprobePrograms(this.bpf.runtime, this.kprobes, this.kretprobes);
  readonly links: ModelLink[] = [];
  readonly probes: ModelProbe[] = [];
  readonly returnProbes: ModelReturnProbe[] = [];
  readonly tasks: readonly ModelTask[] = Array.from({ length: TASKS }, (_, i) => ({
    task: makeTask(i + 1),
    regs: null,
    followed: [],
    pinned: null,
    stepping: 0n,
    redirected: false,
    hijacked: false,
  }));
  readonly busy: boolean[] = Array.from({ length: CPUS }, () => false);
  readonly #original = new Map(FUNCTION_NAMES.map((name) => [name, this.text(name)]));
  readonly errors: string[] = [];

  text(name: string): string {
    const length = (FUNCTIONS[name as keyof typeof FUNCTIONS] as readonly number[]).length;
    return Buffer.from(this.host.memory.view(this.host.address(name), length) ?? []).toString('hex');
  }

  register(place: number, behaviour: Behaviour, disabled: boolean): void {
    const where = PLACES[place % PLACES.length];
    const model: { self?: ModelProbe } = {};
    const real = this.kprobes.register({
      ...where,
      disabled,
      preHandler: (_probe, regs, cpu) => this.#behave(behaviour, where.symbolName, regs, cpu),
      postHandler: () => void (model.self as ModelProbe).posts--,
    });
    model.self = this.#add(real, behaviour, null, !disabled, true);
  }

  registerReturn(symbol: string, maxactive: number, skipsOdd: boolean): void {
    let entries = 0;
    const real = this.kretprobes.register({
      symbolName: symbol,
      maxactive,
      entryHandler: () => (skipsOdd && entries++ % 2 === 1 ? 1 : 0),
      handler: (_instance, regs) => {
        if (regs.ip === TRAMPOLINE) this.errors.push('a return handler sees the trampoline');
      },
    });
    this.#add(real.entry, { kind: 'nothing' }, this.#addReturn(real, maxactive, skipsOdd), true, false);
  }

  /** One program on several functions; in a session every other entry of a function calls the return off. */
  registerMulti(symbols: readonly string[], on: MultiOn, maxactive: number): void {
    const entries = new Map<bigint, number>();
    const program = this.bpf.program(BpfProgType.BPF_PROG_TYPE_KPROBE, (run, ctx) => {
      const at = u64(run.funcIpLo, run.funcIpHi);
      const entered = this.bpf.memory.view.getBigUint64(ctx + IP, true) === at;
      if (on === (entered ? 'return' : 'entry')) this.errors.push(`a run of ${on} at the wrong place`);
      if (!entered) return 0;
      entries.set(at, (entries.get(at) ?? 0) + 1);
      return (entries.get(at) ?? 0) % 2 === 0 ? 1 : 0;
    });
    program.executable = {
      expectedAttachType: BpfAttachType[`BPF_TRACE_KPROBE_${on === 'session' ? 'SESSION' : 'MULTI'}`],
    };
    const real = this.programs.attachMulti(program.program, { on, symbols, maxactive });
    const probes = real.probes.map(({ kprobe, kretprobe }) => {
      const returnProbe = kretprobe === null ? null : this.#addReturn(kretprobe, maxactive, on === 'session');
      return this.#add(kprobe, { kind: 'nothing' }, returnProbe, true, false);
    });
    this.links.push({ real, on, probes });
  }

  detachMulti(index: number): void {
    const link = this.links[index % Math.max(this.links.length, 1)];
    if (link === undefined) return;
    link.real.detach();
    for (const probe of link.probes) {
      probe.registered = false;
      if (probe.returnProbe !== null) probe.returnProbe.registered = false;
    }
  }

  setMultiEnabled(index: number, enabled: boolean): void {
    const link = this.links[index % Math.max(this.links.length, 1)];
    if (link === undefined) return;
    link.real.setEnabled(enabled);
    for (const probe of link.probes) if (probe.registered) probe.enabled = enabled;
  }

  unregister(index: number): void {
    const probe = this.#pick(index);
    if (probe === undefined) return;
    this.#apply({ kind: 'unregister', victim: index });
    probe.registered = false;
    if (probe.returnProbe !== null) probe.returnProbe.registered = false;
  }

  setEnabled(index: number, enabled: boolean): void {
    const probe = this.#pick(index);
    if (probe === undefined || !probe.registered) return;
    this.#apply({ kind: enabled ? 'enable' : 'disable', victim: index });
    probe.enabled = enabled;
  }

  /** Lets a task execute up to `count` instructions on `cpu`; begins a call where it is in none. */
  run(index: number, cpu: number, count: number, symbol: string): void {
    const task = this.tasks[index % TASKS];
    for (let i = 0; i < count; i++) if (!this.#runOne(task, cpu, symbol)) return;
  }

  /** The displaced instruction that a CPU is about to execute faults. */
  fault(index: number): void {
    const task = this.tasks[index % TASKS];
    const { regs, pinned } = task;
    if (regs === null || pinned === null || this.host.memory.view(regs.ip, 1)?.[0] === 0xcc) return;
    this.#enter(task, pinned);
    if (!this.host.text.fault(pinned, regs) || regs.ip !== task.stepping) this.errors.push('a fault was not mended');
    this.busy[pinned] = false;
    task.pinned = null;
  }

  /** A task dies where it is. */
  exit(index: number): void {
    const task = this.tasks[index % TASKS];
    if (task.pinned !== null) return;
    this.host.exitTask(task.task);
    for (const { probe } of task.followed.splice(0)) {
      probe.missed.exited++;
      probe.active--;
    }
    task.regs = null;
  }

  /** longjmp out of the innermost function called by `caller`: on behind the call. */
  unwind(index: number): void {
    const task = this.tasks[index % TASKS];
    const { regs, pinned } = task;
    if (regs === null || pinned !== null || regs.ip === TRAMPOLINE) return;
    const base = this.host.stackTop(task.task);
    // Within what caller calls the stack is two words or more below its start.
    if (regs.sp > base - 16n) return;
    regs.sp = base - 8n;
    regs.ip = this.host.address('caller', 11);
    task.redirected = true;
  }

  /** Ends everything: all tasks run out, all probes go. */
  finish(): void {
    for (let round = 0; this.tasks.some((task) => task.regs !== null); round++) {
      if (round === 1000) throw new Error('some task does not come to its end');
      this.tasks.forEach((task, i) => task.regs !== null && this.run(i, task.pinned ?? 0, 1, 'leaf'));
    }
    this.links.forEach((_, i) => this.detachMulti(i));
    this.probes.forEach((_, i) => this.unregister(i));
    this.tasks.forEach((_, i) => this.exit(i));
  }

  /** What is wrong, if anything. */
  check(): string[] {
    const inCalls = this.tasks.filter(({ followed }) => followed.length > 0).length;
    const { tasksInCalls } = this.kretprobes;
    return [
      ...this.errors,
      ...(inCalls === tasksInCalls ? [] : [`${tasksInCalls} tasks in followed calls, the model says ${inCalls}`]),
      ...this.#checkText(),
      ...this.probes.flatMap(checkProbe),
      ...this.links.flatMap(checkLink),
      ...this.returnProbes.flatMap(checkReturn),
    ];
  }

  checkEnd(): string[] {
    this.programs.close();
    const probes = [...this.kprobes.probes].length + this.bpf.attachments.size + this.bpf.open;
    const left = probes + this.kretprobes.tasksInCalls + this.host.text.allocated;
    return left === 0 ? [] : [`${left} probes, tasks or slot bytes are left behind`];
  }

  #checkText(): string[] {
    return PLACES.flatMap(({ symbolName, offset }) => {
      const addr = this.host.address(symbolName, offset);
      const patched = this.host.memory.view(addr, 1)?.[0] === 0xcc;
      const wanted = this.#at(addr).length > 0;
      return patched === wanted ? [] : [`${symbolName}+${offset}: patched ${patched}, wanted ${wanted}`];
    }).concat(this.probes.some((probe) => probe.registered) ? [] : this.#checkOriginal());
  }

  #checkOriginal(): string[] {
    return FUNCTION_NAMES.filter((name) => this.text(name) !== this.#original.get(name)).map(
      (name) => `${name} is not restored`,
    );
  }

  #addReturn(real: Kretprobe, maxactive: number, skipsOdd: boolean): ModelReturnProbe {
    const missed = { maxactive: 0, unwound: 0, exited: 0, unregistered: 0 };
    const counts = { entries: 0, active: 0, returned: 0, skipped: 0 };
    const model = { real, maxactive, skipsOdd, registered: true, missed, ...counts };
    this.returnProbes.push(model);
    return model;
  }

  #add(
    real: Kprobe,
    behaviour: Behaviour,
    returnProbe: ModelReturnProbe | null,
    enabled: boolean,
    hasPost: boolean,
  ): ModelProbe {
    const model = {
      real,
      addr: real.addr,
      behaviour,
      returnProbe,
      hasPost,
      registered: true,
      enabled,
      hits: 0,
      recursion: 0,
      redirected: 0,
      posts: 0,
    };
    this.probes.push(model);
    return model;
  }

  #pick(index: number): ModelProbe | undefined {
    return this.probes.length === 0 ? undefined : this.probes[index % this.probes.length];
  }

  /** Probes that a hit at `addr` meets, newest first. */
  #at(addr: bigint): ModelProbe[] {
    return this.probes.filter((probe) => probe.addr === addr && probe.registered && probe.enabled).toReversed();
  }

  #enter(task: ModelTask, cpu: number): void {
    this.host.cpu = cpu;
    this.host.current[cpu] = task.task;
  }

  #runOne(task: ModelTask, wanted: number, symbol: string): boolean {
    const cpu = task.pinned ?? wanted % CPUS;
    if (task.pinned === null && this.busy[cpu]) return false;
    this.#enter(task, cpu);
    if (task.regs === null) {
      task.regs = this.host.enter(symbol, [ARGUMENT], task.task);
      task.redirected = symbol === 'leaf';
    }
    const { regs } = task;
    this.#judge(task, cpu, regs);
    this.host.step(cpu, regs);
    this.#settle(task, cpu, regs);
    if (regs.ip !== CALLER) return true;
    if (!task.redirected && regs.get(regs.layout.ret) !== ARGUMENT) this.errors.push('a wrong result');
    task.regs = null;
    return false;
  }

  /** The model's view of the instruction at the pc, before it is executed. */
  #judge(task: ModelTask, cpu: number, regs: PtRegs): void {
    if (regs.ip === TRAMPOLINE) this.#judgeReturn(task, regs.sp - 8n);
    else if (task.pinned === null) this.#judgeHit(task, cpu, regs);
    else if (this.host.memory.view(regs.ip, 1)?.[0] === 0xcc)
      for (const probe of this.#at(task.stepping)) this.#expectPost(probe);
  }

  #judgeHit(task: ModelTask, cpu: number, regs: PtRegs): void {
    const addr = regs.ip;
    if (this.#at(addr).length === 0) return;
    // One that is enabled by a handler of this very hit is called in its turn.
    const hit = this.probes.filter((probe) => probe.addr === addr && probe.registered).toReversed();
    task.stepping = addr;
    task.hijacked = false;
    this.busy[cpu] = true;
    for (const [i, probe] of hit.entries()) {
      if (!probe.registered || !probe.enabled) continue;
      probe.hits++;
      if (probe.returnProbe !== null) this.#judgeEntry(task, probe.returnProbe, regs.sp);
      if (!this.#judgeBehaviour(probe)) continue;
      for (const later of hit.slice(i + 1)) if (later.registered && later.enabled) later.redirected++;
      task.redirected = true;
      task.stepping = -1n;
      return;
    }
    if (!isSlotInsn(this.host, addr)) for (const probe of this.#at(addr)) this.#expectPost(probe);
  }

  #expectPost(probe: ModelProbe): void {
    if (probe.hasPost) probe.posts++;
  }

  /** True: the handler sends the pc elsewhere. */
  #judgeBehaviour({ behaviour, addr }: ModelProbe): boolean {
    switch (behaviour.kind) {
      case 'unregister':
      case 'disable':
      case 'enable':
        this.#judgeChange(behaviour.kind, this.#pick(behaviour.victim));
        return false;
      case 'call':
        for (const met of this.#instructionsOf(behaviour.symbol)) for (const probe of this.#at(met)) probe.recursion++;
        return false;
      case 'return':
        return isEntry(this.host, addr);
      default:
        return false;
    }
  }

  #judgeChange(kind: 'unregister' | 'disable' | 'enable', victim: ModelProbe | undefined): void {
    if (victim === undefined || !victim.registered) return;
    if (kind === 'unregister') victim.registered = false;
    else victim.enabled = kind === 'enable';
    if (kind === 'unregister' && victim.returnProbe !== null) victim.returnProbe.registered = false;
  }

  #judgeEntry(task: ModelTask, probe: ModelReturnProbe, sp: bigint): void {
    if (probe.active === probe.maxactive) {
      probe.missed.maxactive++;
      return;
    }
    if (probe.skipsOdd && probe.entries++ % 2 === 1) {
      probe.skipped++;
      return;
    }
    probe.active++;
    const chained = task.hijacked || this.host.memory.readU64(sp) === TRAMPOLINE;
    task.hijacked = true;
    task.followed.push({ probe, frame: sp, chained });
  }

  #judgeReturn(task: ModelTask, frame: bigint): void {
    const { followed } = task;
    const top = followed.findLastIndex((one) => one.frame === frame);
    for (const { probe } of followed.splice(top + 1)) {
      probe.missed.unwound++;
      probe.active--;
    }
    let chained = true;
    while (chained) {
      const last = followed.pop() as FollowedCall;
      last.probe.active--;
      if (last.probe.registered) last.probe.returned++;
      else last.probe.missed.unregistered++;
      ({ chained } = last);
    }
  }

  /** After the instruction: is the task in a slot now, or out of it? */
  #settle(task: ModelTask, cpu: number, regs: PtRegs): void {
    const inSlot = regs.ip >= SLOT_AREA && regs.ip < SLOT_AREA + 0x1_0000n;
    task.pinned = inSlot ? cpu : null;
    if (!inSlot) this.busy[cpu] = false;
  }

  /** What a handler does for real. */
  #behave(behaviour: Behaviour, symbol: string, regs: PtRegs, cpu: number): number {
    if (behaviour.kind === 'call') {
      const inner = this.host.enter(behaviour.symbol, [ARGUMENT], makeTask(50));
      this.host.run(cpu, inner);
      return 0;
    }
    if (behaviour.kind === 'return' && regs.ip === this.host.address(symbol) + 1n) {
      regs.ip = this.host.address('leaf', 1);
      // The return instruction itself may be probed: it is executed next, and judged then.
      return 1;
    }
    this.#apply(behaviour);
    return 0;
  }

  #apply(behaviour: Behaviour): void {
    if (behaviour.kind !== 'unregister' && behaviour.kind !== 'enable' && behaviour.kind !== 'disable') return;
    const victim = this.#pick(behaviour.victim);
    if (victim === undefined || !victim.real.registered) return;
    if (behaviour.kind === 'enable') this.kprobes.enable(victim.real);
    else if (behaviour.kind === 'disable') this.kprobes.disable(victim.real);
    else if (victim.returnProbe !== null) this.kretprobes.unregister(victim.returnProbe.real);
    else this.kprobes.unregister(victim.real);
  }

  /** Addresses that a call of a straight-line function executes. */
  #instructionsOf(symbol: string): bigint[] {
    return PLACES.filter((place) => place.symbolName === symbol).map(({ offset }) => this.host.address(symbol, offset));
  }
}

function isSlotInsn(host: TestHost, addr: bigint): boolean {
  return addr === host.address('frame', 6);
}

function isEntry(host: TestHost, addr: bigint): boolean {
  return host.symbols.at(addr)?.address === addr;
}
