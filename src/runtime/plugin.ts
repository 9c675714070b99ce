import { BpfError, BpfProgType, u64 } from '../base/index.js';
import { createBareHost } from './bare-host.js';
import { BpfRuntime } from './bpf-runtime.js';
import { checkProgram } from './check/index.js';
import type { Engine } from './engine.js';
import { decodeInsns } from './isa/index.js';

export interface PluginOptions {
  /** What r1 points to; r2 is its length. The program may read and write it; the array itself stays as it is. */
  readonly memory?: Uint8Array;
  readonly engine?: Engine;
}

/**
 * The plugin protocol of public BPF conformance suites: runs an encoded program once and returns r0. `callx`
 * calls the helper whose number is in the register, and shift immediates past the width count modulo the
 * width. Refused programs are a `CheckError`, stopped ones an EFAULT `BpfError`.
 */
export function runPlugin(program: Uint8Array, options: PluginOptions = {}): bigint {
  const bytes = options.memory ?? new Uint8Array(0);
  const runtime = new BpfRuntime(createBareHost(), options.engine === undefined ? {} : { engine: options.engine });
  const executable = checkProgram(
    {
      name: 'plugin',
      type: BpfProgType.BPF_PROG_TYPE_UNSPEC,
      expectedAttachType: 0,
      license: 'GPL',
      insns: decodeInsns(program),
      maps: [],
    },
    { plugin: true },
  );
  const loaded = runtime.loadExecutable(executable);
  const start = runtime.memory.alloc(bytes.length);
  runtime.memory.u8.set(bytes, start);
  const run = runtime.enter(0);
  if (run === null) throw new BpfError('EBUSY', 'a fresh runtime has no run context');
  run.program = loaded;
  run.extraRegions.push({ start, end: start + bytes.length, stride: 0, size: bytes.length, writable: true });
  const lo = loaded.engine.run(run, start, bytes.length);
  if (run.fault === null) return u64(lo, run.resultHi);
  throw new BpfError('EFAULT', `stopped at instruction ${run.fault.pc}: ${run.fault.reason}`, { cause: run.fault });
}
