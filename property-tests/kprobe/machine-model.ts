import { hi32, lo32 } from '../../src/base/index.js';
import type { Host, HostText } from '../../src/host/index.js';
import {
  insnBoundaries,
  type Kprobe,
  KprobeRegistry,
  type Kretprobe,
  KretprobeRegistry,
} from '../../src/kprobe/index.js';

/** A machine that counts what it does, for the model below: any host can be one. */
export interface ModelMachine {
  readonly host: Host;
  /** Functions whose calls the machine counts itself, not through probes. */
  readonly functions: readonly string[];
  calls(name: string): number;
  /** Breakpoints of the machine's own that were executed, and how many of them its own handler saw. */
  foreign(): { readonly executed: number; readonly handled: number };
  /** Goes on for a while; where it stops, CPUs may be inside of the functions. */
  goOn(): void;
  /** Goes on to a point where no CPU is between a function's first instruction and its count. */
  rest(): void;
}

export type ProbeKind = 'entry' | 'second' | 'return' | 'skipping';

interface ModelProbe {
  readonly kind: ProbeKind;
  readonly name: string;
  readonly real: Kprobe;
  readonly kretprobe: Kretprobe | null;
  /** Times the handler ran. */
  handled: number;
  enabled: boolean;
  registered: boolean;
  /** Calls while it was enabled, up to the last switch. */
  calls: number;
  /** Calls of its function when it was enabled last. */
  since: number;
  /** How many calls it may be off: it was switched while CPUs were inside. */
  slack: number;
}

/** Bytes at the start of each function that are watched. */
const WATCHED = 16;

/**
 * Probes on a machine that really runs, against counts that do not come from them. The real registries act; the model
 * knows lists, times of switching and the machine's own counts.
 */
export class MachineWorld {
  readonly #machine: ModelMachine;
  readonly #kprobes: KprobeRegistry;
  readonly #kretprobes: KretprobeRegistry;
  readonly #probes: ModelProbe[] = [];
  readonly #original: ReadonlyMap<string, string>;
  readonly #second: ReadonlyMap<string, number>;
  readonly #exec: { allocated: number };
  readonly #foreign: { readonly executed: number; readonly handled: number };
  #atRest = true;

  constructor(machine: ModelMachine) {
    this.#machine = machine;
    machine.rest();
    const { host, exec } = counting(machine.host);
    this.#exec = exec;
    this.#kprobes = new KprobeRegistry(host);
    this.#kretprobes = new KretprobeRegistry(this.#kprobes);
    this.#original = new Map(machine.functions.map((name) => [name, this.#text(name)]));
    this.#second = new Map(machine.functions.map((name) => [name, this.#boundary(name)]));
    this.#foreign = machine.foreign();
  }

  register(index: number, kind: ProbeKind, enabled: boolean): void {
    const name = this.#name(index);
    const model: { self?: ModelProbe } = {};
    const handled = (): number => ((model.self as ModelProbe).handled++, 0);
    const spec = { symbolName: name, disabled: !enabled };
    let entries = 0;
    const kretprobe =
      kind === 'entry' || kind === 'second'
        ? null
        : this.#kretprobes.register({
            ...spec,
            maxactive: 2,
            handler: handled,
            entryHandler: () => (kind === 'skipping' && entries++ % 2 === 1 ? 1 : 0),
          });
    const offset = kind === 'second' ? this.#second.get(name) : 0;
    const real = kretprobe?.entry ?? this.#kprobes.register({ ...spec, offset: offset ?? 0, preHandler: handled });
    const counts = { handled: 0, calls: 0, since: this.#machine.calls(name), slack: this.#slack() };
    model.self = { kind, name, real, kretprobe, enabled, registered: true, ...counts };
    this.#probes.push(model.self);
  }

  /** Several functions as one link would. */
  registerMany(indexes: readonly number[], kind: ProbeKind): void {
    for (const index of indexes) this.register(index, kind, true);
  }

  unregister(index: number): void {
    const probe = this.#pick(index);
    if (probe === undefined || !probe.registered) return;
    this.#settle(probe, false);
    if (probe.kretprobe === null) this.#kprobes.unregister(probe.real);
    else this.#kretprobes.unregister(probe.kretprobe);
    probe.registered = false;
  }

  setEnabled(index: number, enabled: boolean): void {
    const probe = this.#pick(index);
    if (probe === undefined || !probe.registered) return;
    this.#settle(probe, enabled);
    if (probe.kretprobe === null) this.#kprobes[enabled ? 'enable' : 'disable'](probe.real);
    else this.#kretprobes[enabled ? 'enable' : 'disable'](probe.kretprobe);
  }

  goOn(): void {
    this.#machine.goOn();
    this.#atRest = false;
  }

  rest(): void {
    this.#machine.rest();
    this.#atRest = true;
  }

  /** What is wrong, if anything. Counts are compared at rest only. */
  check(): string[] {
    const breakpoints = this.#machine.functions.flatMap((name) => this.#checkText(name));
    return this.#atRest
      ? [...breakpoints, ...this.#checkForeign(), ...this.#probes.flatMap((one) => this.#checkCounts(one))]
      : breakpoints;
  }

  /** Removes everything; what is wrong then. */
  finish(): string[] {
    this.#probes.forEach((_, i) => this.unregister(i));
    this.rest();
    this.rest();
    const problems = this.check();
    for (const [name, text] of this.#original) if (this.#text(name) !== text) problems.push(`${name} is not restored`);
    if (this.#exec.allocated !== 0) problems.push(`${this.#exec.allocated} bytes of slots are left`);
    if ([...this.#kprobes.probes, ...this.#kretprobes.probes].length > 0) problems.push('probes are left');
    this.#kretprobes.close();
    this.#kprobes.close();
    return problems;
  }

  /** Hits handled and missed, of all probes, for tests that want to know that something happened. */
  get hits(): number {
    return this.#probes.reduce((sum, { real }) => sum + real.nhit, 0);
  }

  #name(index: number): string {
    const { functions } = this.#machine;
    return functions[index % functions.length];
  }

  #pick(index: number): ModelProbe | undefined {
    return this.#probes.length === 0 ? undefined : this.#probes[index % this.#probes.length];
  }

  /** A switch while CPUs run may come between a first instruction and its count, on each of them. */
  #slack(): number {
    return this.#atRest ? 0 : this.#machine.host.cpus;
  }

  #settle(probe: ModelProbe, enabled: boolean): void {
    const now = this.#machine.calls(probe.name);
    if (probe.enabled) probe.calls += now - probe.since;
    probe.since = now;
    probe.slack += this.#slack();
    probe.enabled = enabled;
  }

  #checkCounts(probe: ModelProbe): string[] {
    const { name, kind, real, kretprobe, slack } = probe;
    const running = probe.registered && probe.enabled ? this.#machine.calls(name) - probe.since : 0;
    const seen = real.nhit + real.missed.recursion + real.missed.redirected;
    const problems: string[] = [];
    const expect = probe.calls + running;
    if (Math.abs(seen - expect) > slack)
      problems.push(`${kind} ${name}: ${seen} hits, the machine did ${expect} (±${slack})`);
    if (kretprobe === null && probe.handled !== real.nhit)
      problems.push(`${kind} ${name}: ${real.nhit} hits, ${probe.handled} handled`);
    if (kretprobe !== null) problems.push(...checkReturns(probe, kretprobe));
    return problems;
  }

  #checkForeign(): string[] {
    const { executed, handled } = this.#machine.foreign();
    const [did, saw] = [executed - this.#foreign.executed, handled - this.#foreign.handled];
    return did === saw ? [] : [`${did} breakpoints of the machine's own, its handler saw ${saw}`];
  }

  /** Breakpoints stand where enabled probes are, and nowhere else. */
  #checkText(name: string): string[] {
    const original = this.#original.get(name) as string;
    const offsets = [0, this.#second.get(name) as number];
    const text = this.#text(name);
    return offsets.flatMap((offset) => {
      const wanted = this.#probes.some(
        (one) => one.name === name && one.registered && one.enabled && offsetOf(one, this.#second) === offset,
      );
      const isChanged = text.slice(2 * offset, 2 * offset + 2) !== original.slice(2 * offset, 2 * offset + 2);
      return isChanged === wanted ? [] : [`${name}+${offset}: a breakpoint ${isChanged ? 'stands' : 'is missing'}`];
    });
  }

  #text(name: string): string {
    return Buffer.from(this.#bytes(name)).toString('hex');
  }

  #bytes(name: string): Uint8Array {
    const { host } = this.#machine;
    const address = host.symbols.lookup(name)?.address ?? 0n;
    const bytes = new Uint8Array(WATCHED);
    if (!host.memory.readKernel(lo32(address), hi32(address), bytes, 0, WATCHED))
      throw new Error(`${name} cannot be read`);
    return bytes;
  }

  /** The second instruction: executed as often as the first, which is no branch in what compilers begin functions with. */
  #boundary(name: string): number {
    return insnBoundaries(this.#machine.host.arch.probing, this.#bytes(name))[1] ?? 0;
  }
}

function offsetOf({ kind, name }: ModelProbe, second: ReadonlyMap<string, number>): number {
  return kind === 'second' ? (second.get(name) ?? 0) : 0;
}

/** Every followed call is accounted for. */
function checkReturns({ kind, name, real, handled }: ModelProbe, probe: Kretprobe): string[] {
  const { maxactive, fault, unwound, exited, unregistered } = probe.missed;
  const sum = probe.nreturned + probe.nskipped + probe.nactive + maxactive + fault + unwound + exited + unregistered;
  const problems: string[] = [];
  if (sum !== real.nhit) problems.push(`${kind} ${name}: ${sum} calls accounted of ${real.nhit}`);
  if (handled !== probe.nreturned) problems.push(`${kind} ${name}: ${probe.nreturned} returns, ${handled} handled`);
  return problems;
}

/** The host with the executable bytes that are given out and not given back. */
function counting(host: Host): { host: Host; exec: { allocated: number } } {
  const { text } = host;
  if (text === null) throw new Error(`the text of ${host.name} cannot be patched`);
  const exec = { allocated: 0 };
  const { returnTrampoline, restoresStackPointer } = text;
  const counted: HostText = {
    returnTrampoline,
    ...(restoresStackPointer === undefined ? {} : { restoresStackPointer }),
    patch: (...args) => text.patch(...args),
    allocExec: (size) => {
      const address = text.allocExec(size);
      if (address !== null) exec.allocated += size;
      return address;
    },
    freeExec: (address, size) => {
      exec.allocated -= size;
      text.freeExec(address, size);
    },
    blacklisted: (address) => text.blacklisted(address),
    returnBlacklisted: (address) => text.returnBlacklisted?.(address) ?? null,
    setTrapHandler: (handler) => text.setTrapHandler(handler),
    drain: () => text.drain?.(),
    singleStep: (frame) => text.singleStep(frame),
  };
  const { name, arch, cpus, capabilities, memory, symbols, btf, clock, tasks, stacks, tracepoints, sampler } = host;
  const parts = { name, arch, cpus, capabilities, memory, symbols, btf, clock, tasks, stacks, tracepoints, sampler };
  return { host: { ...parts, text: counted, currentCpu: () => host.currentCpu() }, exec };
}
