import { type PtRegs, type PtRegsLayout, ptRegsView } from '../arch/index.js';
import { BpfError, PerfSwIds, u64 } from '../base/index.js';
import type { Host } from '../host/index.js';
import type { SoftwareHit, SoftwareSource } from '../perf/index.js';
import { KernelReader } from '../runtime/index.js';
import type { TracepointProbe, TracepointRegistry } from '../tracepoint/index.js';

const S = PerfSwIds;
/** Tracepoints in which an event is seen. */
const TRACEPOINTS: Readonly<Record<number, readonly string[]>> = {
  [S.PERF_COUNT_SW_PAGE_FAULTS]: ['page_fault_user', 'page_fault_kernel'],
  [S.PERF_COUNT_SW_CONTEXT_SWITCHES]: ['sched_switch'],
  [S.PERF_COUNT_SW_CPU_MIGRATIONS]: ['sched_migrate_task', 'sched_switch'],
};

/** Whether the host has the tracepoints for a software event. */
export function tellsOf({ tracepoints }: Pick<Host, 'tracepoints'>, config: number): boolean {
  const wanted = TRACEPOINTS[config] ?? [];
  const found = wanted.filter((name) => tracepoints?.list.some((tracepoint) => tracepoint.name === name) === true);
  const isEnough = config === S.PERF_COUNT_SW_PAGE_FAULTS ? found.length > 0 : found.length === wanted.length;
  return isEnough && wanted.length > 0;
}

type Handler = (hit: SoftwareHit) => void;

/**
 * The software events of perf as tracepoints tell of them: page faults where `exceptions` has them, a switch as an event of
 * the task that is left, a migration as one of the task that moved, when it first runs on its new CPU.
 */
export class SoftwareEvents implements SoftwareSource {
  readonly #host: Host;
  readonly #registry: () => TracepointRegistry;

  constructor(host: Host, registry: () => TracepointRegistry) {
    this.#host = host;
    this.#registry = registry;
  }

  has(config: number): boolean {
    return tellsOf(this.#host, config);
  }

  start(config: number, handler: Handler): () => void {
    switch (config) {
      case S.PERF_COUNT_SW_PAGE_FAULTS:
        return this.#pageFaults(handler);
      case S.PERF_COUNT_SW_CONTEXT_SWITCHES:
        return this.#switches(handler);
      case S.PERF_COUNT_SW_CPU_MIGRATIONS:
        return this.#migrations(handler);
      default:
        throw new BpfError('EOPNOTSUPP', 'counting software events', { value: config });
    }
  }

  #pageFaults(handler: Handler): () => void {
    const regs = ptRegsView(this.#host.arch.ptRegs);
    const probe =
      (user: boolean): TracepointProbe =>
      (_data, args, cpu) => {
        if (!this.#read(regs, args[2], args[3])) return;
        handler({ cpu, tid: this.#currentTid(), regs, stackRegs: regs, user, addr: u64(args[0], args[1]) });
      };
    return this.#listen({ page_fault_user: probe(true), page_fault_kernel: probe(false) });
  }

  #switches(handler: Handler): () => void {
    const tell = this.#teller(handler);
    return this.#listen({ sched_switch: (_data, _args, cpu) => tell(cpu, this.#currentTid()) });
  }

  #migrations(handler: Handler): () => void {
    const tell = this.#teller(handler);
    const reader = new KernelReader(this.#host, 'counting migrations');
    const pid = BigInt(reader.need('task_struct', 'pid'));
    const moved = new Set<bigint>();
    return this.#listen({
      sched_migrate_task: (_data, args) => void moved.add(u64(args[0], args[1])),
      sched_switch: (_data, args, cpu) => {
        const next = u64(args[4], args[5]);
        if (moved.delete(next)) tell(cpu, reader.u32(next + pid));
      },
    });
  }

  /** Events of the kernel's own: of the registers only the pc is known, the place that tells of it. */
  #teller(handler: Handler): (cpu: number, tid: number) => void {
    const { arch, stacks } = this.#host;
    const regs = ptRegsView(arch.ptRegs);
    const frame = new Int32Array(2);
    return (cpu, tid) => {
      if (stacks.kernel(null, frame, 1) === 1) regs.set(arch.ptRegs.ip, frame[0], frame[1]);
      handler({ cpu, tid, regs, stackRegs: null, user: false, addr: 0n });
    };
  }

  /** Puts the probes on those of the tracepoints that the host has; the result takes them off. */
  #listen(probes: Readonly<Record<string, TracepointProbe>>): () => void {
    const registry = this.#registry();
    const placed = Object.entries(probes).flatMap(([name, probe]) => {
      const tracepoint = registry.tracepoints.find((candidate) => candidate.name === name);
      return tracepoint === undefined ? [] : [{ tracepoint, probe }];
    });
    for (const { tracepoint, probe } of placed) tracepoint.register(probe, null);
    return () => {
      for (const { tracepoint, probe } of placed) tracepoint.unregister(probe, null);
    };
  }

  #currentTid(): number {
    const words = new Int32Array(2);
    this.#host.tasks.pidTgid(words);
    return words[0];
  }

  #read(regs: PtRegs, lo: number, hi: number): boolean {
    return this.#host.memory.readKernel(lo, hi, bytesOf(regs, this.#host.arch.ptRegs), 0, this.#host.arch.ptRegs.size);
  }
}

function bytesOf({ words }: PtRegs, { size }: PtRegsLayout): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, size);
}
