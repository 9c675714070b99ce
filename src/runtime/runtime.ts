import type { Host } from '../host/index.js';
import type { Engine } from './engine.js';
import type { ProgramInput } from './executable.js';
import type { Helper } from './helper/helper.js';
import type { BpfMap, MapSpec } from './map/bpf-map.js';
import type { BpfMemory, BpfOffset } from './memory/bpf-memory.js';
import type { BpfProgram } from './program.js';
import type { PendingWakeups } from './ring/pending-wakeups.js';
import type { BpfRunCtx } from './run-context.js';

/** The BPF machine: memory, maps, helpers and programs of one host. */
export interface Runtime {
  readonly host: Host;
  readonly memory: BpfMemory;
  readonly engine: Engine;
  readonly cpus: number;
  /** Offset of the first `CpuBlock`. */
  readonly cpuBlocks: BpfOffset;
  /** What commits to ring buffers have asked for during the runs under way; `leave` delivers it. */
  readonly wakeups: PendingWakeups;
  /** Rows by helper number. */
  readonly helpers: ReadonlyMap<number, Helper>;
  createMap(spec: MapSpec): BpfMap;
  /** The live map whose header is at `address`, if any. */
  mapAt(address: number): BpfMap | undefined;
  loadProgram(input: ProgramInput): BpfProgram;
  /** Where bpf_trace_printk writes; replaceable. */
  tracePrintk: (line: string, cpu: number) => void;
  /**
   * Per CPU, how many programs of kprobes, trace events and perf events run now (the kernel's bpf_prog_active):
   * while it is not 0, further ones are missed. Zeroed once; `TraceCall` counts in it.
   */
  readonly traceActive: Int32Array;
  /** Enters a run on `cpu`: a free context of that CPU (nesting up to 4), or null when nested too deeply. */
  enter(cpu: number): BpfRunCtx | null;
  leave(run: BpfRunCtx): void;
}
