import type { PtRegs } from '../arch/index.js';
import { BpfAttachType, BpfError, lo32 } from '../base/index.js';
import {
  ProgramAttachment,
  type AttachmentCounts,
  type AttachmentOptions,
  type BpfProgram,
  type Runtime,
} from '../runtime/index.js';
import type { Kprobe } from './kprobe.js';
import type { KprobeRegistry } from './kprobe-registry.js';
import type { Kretprobe } from './kretprobe.js';
import type { KretprobeRegistry } from './kretprobe-registry.js';
import { type MultiFunction, type MultiSelection, selectFunctions } from './multi-functions.js';
import type { ProbeRuns } from './probe-runs.js';
import { SessionCookies } from './session-cookies.js';

/** When the program runs: as functions are entered, as they return, or both, where the entry can call the return off. */
export type MultiOn = 'entry' | 'return' | 'session';

export interface KprobeMultiAttachment extends MultiSelection, Pick<AttachmentOptions, 'cookie' | 'onFault'> {
  readonly on: MultiOn;
  /** Calls of each function that are followed at one time; 0 or absent: the default of return probes. */
  readonly maxactive?: number;
}

/** One function of a link. */
export interface MultiProbe extends MultiFunction {
  /** Null where the program runs as functions are entered only. */
  readonly kretprobe: Kretprobe | null;
  readonly kprobe: Kprobe;
  readonly counts: AttachmentCounts;
}

/** A program on many functions, until `detach`. */
export interface KprobeMultiLink {
  readonly program: BpfProgram;
  readonly on: MultiOn;
  /** By address. */
  readonly probes: readonly MultiProbe[];
  /** Of all functions together. */
  readonly counts: AttachmentCounts;
  setEnabled(enabled: boolean): void;
  /** Idempotent, and safe from inside the program's own run. */
  detach(): void;
}

const WANTED = { entry: 'kprobe.multi', return: 'kretprobe.multi', session: 'kprobe.session' } as const;

/**
 * Attaches one program to many functions, as BPF_TRACE_KPROBE_MULTI and BPF_TRACE_KPROBE_SESSION do: its context shows the
 * function's own address, bpf_get_func_ip and the cookie are the function's. In a session an entry run that returns not 0
 * calls the return run off. Errors in the order of bpf_kprobe_multi_link_attach().
 */
export class KprobeMulti {
  readonly #runtime: Runtime;
  readonly #kprobes: KprobeRegistry;
  readonly #kretprobes: KretprobeRegistry;
  readonly #runs: ProbeRuns;

  constructor(runtime: Runtime, kprobes: KprobeRegistry, kretprobes: KretprobeRegistry, runs: ProbeRuns) {
    this.#runtime = runtime;
    this.#kprobes = kprobes;
    this.#kretprobes = kretprobes;
    this.#runs = runs;
  }

  attach(program: BpfProgram, where: KprobeMultiAttachment): KprobeMultiLink {
    const what = `attaching ${program.name} to many functions`;
    this.#check(program, where.on, what);
    const functions = selectFunctions(this.#kprobes, where, where.on !== 'entry', what);
    functions.sort((a, b) => (a.addr < b.addr ? -1 : 1));
    const attached: Attached[] = [];
    try {
      for (const one of functions) attached.push(this.#attachOne(program, one, where));
    } catch (error) {
      this.#detach(attached);
      throw error;
    }
    return this.#link(program, where.on, attached);
  }

  #check(program: BpfProgram, on: MultiOn, what: string): void {
    if (this.#runtime.host.arch.pointerSize !== 8) {
      throw new BpfError('EOPNOTSUPP', what, { remedy: 'Linux has such links on machines of 64 bits only' });
    }
    const wanted = on === 'session' ? BpfAttachType.BPF_TRACE_KPROBE_SESSION : BpfAttachType.BPF_TRACE_KPROBE_MULTI;
    if (program.executable.expectedAttachType === wanted) return;
    throw new BpfError('EINVAL', what, {
      value: program.executable.expectedAttachType,
      remedy: `its section must be ${WANTED[on]}, which settles the expected attach type`,
    });
  }

  #attachOne(program: BpfProgram, one: MultiFunction, where: KprobeMultiAttachment): Attached {
    const cookie = where.cookies === undefined ? (where.cookie ?? 0n) : one.cookie;
    const options = { cookie, funcIp: one.addr, ...(where.onFault === undefined ? {} : { onFault: where.onFault }) };
    const call = new ProgramAttachment(this.#runtime, program, this.#runs.hook, options);
    try {
      const at = { ...one, cookie, call, cookies: null };
      if (where.on === 'entry') return { ...at, kretprobe: null, kprobe: this.#atEntry(call, one.addr) };
      const { kretprobe, cookies } =
        where.on === 'session'
          ? this.#atBoth(call, one.addr, where)
          : { kretprobe: this.#atReturn(call, one.addr, where), cookies: null };
      return { ...at, kretprobe, cookies, kprobe: kretprobe.entry };
    } catch (error) {
      call.dispose();
      throw error;
    }
  }

  #atEntry(call: ProgramAttachment, addr: bigint): Kprobe {
    const ipLo = lo32(addr);
    const preHandler = (_probe: Kprobe, regs: PtRegs, cpu: number): number => {
      this.#runs.runAt(call, regs, cpu, ipLo);
      return 0;
    };
    return this.#kprobes.register({ addr, preHandler, readsOnly: true });
  }

  #atReturn(call: ProgramAttachment, addr: bigint, { maxactive = 0 }: KprobeMultiAttachment): Kretprobe {
    const handler = (_instance: unknown, regs: PtRegs, cpu: number): void => void this.#runs.run(call, regs, cpu);
    return this.#kretprobes.register({ addr, maxactive, handler });
  }

  #atBoth(
    call: ProgramAttachment,
    addr: bigint,
    { maxactive = 0 }: KprobeMultiAttachment,
  ): { readonly kretprobe: Kretprobe; readonly cookies: SessionCookies } {
    const ipLo = lo32(addr);
    const runs = this.#runs;
    let cookies: SessionCookies | null = null;
    const kretprobe = this.#kretprobes.register({
      addr,
      maxactive,
      handler(instance, regs, cpu) {
        const cookie = cookies?.of(instance) ?? 0;
        runs.runSession(call, regs, cpu, undefined, { isReturn: true, cookie });
      },
      entryHandler(instance, regs, cpu) {
        const cookie = cookies?.begin(instance) ?? 0;
        return runs.runSession(call, regs, cpu, ipLo, { isReturn: false, cookie });
      },
    });
    try {
      cookies = new SessionCookies(this.#runtime.memory, kretprobe.maxactive);
      return { kretprobe, cookies };
    } catch (error) {
      this.#kretprobes.unregisterAll([kretprobe]);
      throw error;
    }
  }

  #link(program: BpfProgram, on: MultiOn, attached: readonly Attached[]): KprobeMultiLink {
    const probes = attached.map((one) => ({
      addr: one.addr,
      name: one.name,
      cookie: one.cookie,
      kprobe: one.kprobe,
      kretprobe: one.kretprobe,
      get counts() {
        return one.call.counts;
      },
    }));
    return {
      program,
      on,
      probes,
      get counts() {
        return sumCounts(probes);
      },
      setEnabled: (enabled) => {
        for (const one of attached) this.#switchOne(one, enabled);
      },
      detach: () => this.#detach(attached),
    };
  }

  #switchOne({ kprobe, kretprobe }: Attached, enabled: boolean): void {
    if (!kprobe.registered) return;
    if (kretprobe === null) this.#kprobes[enabled ? 'enable' : 'disable'](kprobe);
    else this.#kretprobes[enabled ? 'enable' : 'disable'](kretprobe);
  }

  #detach(attached: readonly Attached[]): void {
    this.#kprobes.unregisterAll(attached.filter(({ kretprobe }) => kretprobe === null).map(({ kprobe }) => kprobe));
    this.#kretprobes.unregisterAll(
      attached.map(({ kretprobe }) => kretprobe).filter((kretprobe) => kretprobe !== null),
    );
    for (const { call, cookies } of attached) {
      if (call.live) cookies?.free();
      call.dispose();
    }
  }
}

interface Attached extends Omit<MultiProbe, 'counts'> {
  readonly call: ProgramAttachment;
  /** Null where it is no session. */
  readonly cookies: SessionCookies | null;
}

function sumCounts(probes: readonly MultiProbe[]): AttachmentCounts {
  const sum = { hits: 0, runs: 0, recursion: 0, nesting: 0, faults: 0 };
  for (const { counts } of probes) {
    sum.hits += counts.hits;
    sum.runs += counts.runs;
    sum.recursion += counts.recursion;
    sum.nesting += counts.nesting;
    sum.faults += counts.faults;
  }
  return sum;
}
