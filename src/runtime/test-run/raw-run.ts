import { BpfError, BpfProgType } from '../../base/index.js';
import type { BpfProgram } from '../program.js';
import type { Runtime } from '../runtime.js';
import type { PreparedRun, TestRunOptions } from './test-run.js';

/** MAX_BPF_FUNC_ARGS u64 arguments are what a raw tracepoint's context has at most. */
const RAW_TRACEPOINT_MAX = 12 * 8;
const SYSCALL_MAX = 0xffff;
const NOTHING = new Uint8Array(0);

/**
 * Runs on the context's bytes as they are given. Linux does this for raw tracepoints and `syscall` programs;
 * for kprobe, tracepoint, perf_event and tracing programs it answers ENOTSUPP, and kscope runs them all the
 * same. A context shorter than the event's real one may be given: what lies beyond it cannot be read.
 */
export function rawRun(runtime: Runtime, program: BpfProgram, options: TestRunOptions): PreparedRun {
  const bytes = options.ctxIn ?? NOTHING;
  refuse(program, options, bytes.length);
  const { memory } = runtime;
  const size = Math.max(bytes.length, 1);
  const ctx = memory.alloc(size);
  memory.u8.set(bytes, ctx);
  return {
    ctx,
    ctxSize: bytes.length,
    enter: () => undefined,
    finish: () => ({ dataOut: NOTHING, ctxOut: memory.u8.slice(ctx, ctx + bytes.length) }),
    free: () => memory.free(ctx, size),
  };
}

function refuse(program: BpfProgram, options: TestRunOptions, ctxSize: number): void {
  if (options.dataIn !== undefined && options.dataIn.length > 0) {
    throw new BpfError('EINVAL', `test run of ${program.name}`, {
      value: options.dataIn.length,
      remedy: 'programs of this type take a context (ctxIn), not a packet (dataIn)',
    });
  }
  const isRaw =
    program.type === BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT ||
    program.type === BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE;
  if (isRaw) limit(program, ctxSize, RAW_TRACEPOINT_MAX);
  if (program.type === BpfProgType.BPF_PROG_TYPE_SYSCALL) limit(program, ctxSize, SYSCALL_MAX);
}

function limit(program: BpfProgram, size: number, most: number): void {
  if (size <= most) return;
  throw new BpfError('EINVAL', `test run of ${program.name}: context of ${size} bytes`, {
    value: size,
    remedy: `at most ${most} bytes for this program type`,
  });
}
