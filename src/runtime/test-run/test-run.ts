import { BpfError, BpfProgType } from '../../base/index.js';
import type { BpfProgram } from '../program.js';
import type { BpfRunCtx } from '../run-context.js';
import type { Runtime } from '../runtime.js';
import { rawRun } from './raw-run.js';
import { skbRun } from './skb-run.js';
import { xdpRun } from './xdp-run.js';

export interface TestRunOptions {
  /** The packet, link layer header first; networking types only. */
  readonly dataIn?: Uint8Array;
  /** struct __sk_buff, struct xdp_md, or for tracing types the context's bytes. */
  readonly ctxIn?: Uint8Array;
  /** How often to run; 0 and absent: once. Packet and context are not reset in between, as in Linux. */
  readonly repeat?: number;
  /** CPU to run on. Linux takes one for raw tracepoints only. */
  readonly cpu?: number;
}

export interface TestRunResult {
  /** Low 32 bits of the last run's r0, unsigned. */
  readonly retval: number;
  /** Nanoseconds per run. */
  readonly durationNs: number;
  readonly dataOut: Uint8Array;
  readonly ctxOut: Uint8Array;
}

/** One kind of test run: lays packet and context out, and reads them back afterwards. */
export interface PreparedRun {
  /** Offset and size of the context. */
  readonly ctx: number;
  readonly ctxSize: number;
  /** Called before each repetition, on a fresh run context. */
  enter(run: BpfRunCtx): void;
  finish(): { readonly dataOut: Uint8Array; readonly ctxOut: Uint8Array };
  free(): void;
}

type Preparation = (runtime: Runtime, program: BpfProgram, options: TestRunOptions) => PreparedRun;

const T = BpfProgType;
const preparations: ReadonlyMap<number, Preparation> = new Map<number, Preparation>([
  [T.BPF_PROG_TYPE_SOCKET_FILTER, skbRun],
  [T.BPF_PROG_TYPE_SCHED_CLS, skbRun],
  [T.BPF_PROG_TYPE_SCHED_ACT, skbRun],
  [T.BPF_PROG_TYPE_CGROUP_SKB, skbRun],
  [T.BPF_PROG_TYPE_XDP, xdpRun],
]);

/** net/bpf/test_run.c; types without a preparation of their own run on the raw context. */
export function testRun(runtime: Runtime, program: BpfProgram, cpu: number, options: TestRunOptions): TestRunResult {
  const prepare = preparations.get(program.type) ?? rawRun;
  const prepared = prepare(runtime, program, options);
  try {
    const repeat = Math.max(options.repeat ?? 1, 1);
    const begin = performance.now();
    let retval = 0;
    for (let i = 0; i < repeat; i++) retval = runOnce(runtime, program, cpu, prepared);
    const durationNs = Math.round(((performance.now() - begin) * 1e6) / repeat);
    return { retval: retval >>> 0, durationNs, ...prepared.finish() };
  } finally {
    prepared.free();
  }
}

function runOnce(runtime: Runtime, program: BpfProgram, cpu: number, prepared: PreparedRun): number {
  const run = runtime.enter(cpu);
  if (run === null) throw new BpfError('EBUSY', `test run: CPU ${cpu} is nested too deeply`);
  run.program = program;
  run.ctx = prepared.ctx;
  run.ctxSize = prepared.ctxSize;
  prepared.enter(run);
  const retval = program.engine.run(run, prepared.ctx);
  const { fault } = run;
  runtime.leave(run);
  if (fault !== null) {
    const where = fault.source === undefined ? '' : ` (${fault.source})`;
    throw new BpfError(
      'EFAULT',
      `program ${fault.program} stopped at instruction ${fault.pc}${where}: ${fault.reason}`,
      {
        cause: fault,
      },
    );
  }
  return retval;
}
