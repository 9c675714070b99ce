import type { Host } from '../host/index.js';
import type { BpfFs } from './bpf-fs.js';
import type { Engine } from './engine.js';
import type { ProgramInput } from './executable.js';
import type { Helper } from './helper/helper.js';
import type { Kfunc } from './kfunc/kfunc.js';
import type { BpfMap, MapSpec } from './map/bpf-map.js';
import type { BpfMemory, BpfOffset } from './memory/bpf-memory.js';
import type { BpfProgram } from './program.js';
import type { PendingWakeups } from './ring/pending-wakeups.js';
import type { BpfRunCtx } from './run-context.js';

/** Run contexts for hits that compiled code has begun on its own. */
export interface HitRuns {
  /** Opens the run that is under way with the context at `ctx`; null where no run context is left. */
  open(ctx: number, cpu: number): BpfRunCtx | null;
  close(run: BpfRunCtx): void;
}

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
  /** Kernel functions that programs may call, by name. */
  readonly kfuncs: ReadonlyMap<string, Kfunc>;
  /** Live maps, in the order of their creation. */
  readonly maps: Iterable<BpfMap>;
  /** Names that keep maps and programs alive. */
  readonly bpffs: BpfFs;
  createMap(spec: MapSpec): BpfMap;
  /** The live map whose header is at `address`, if any. */
  mapAt(address: number): BpfMap | undefined;
  loadProgram(input: ProgramInput): BpfProgram;
  /** The programs of one object, which are loaded sooner together: all of them, or none. */
  loadPrograms(inputs: readonly ProgramInput[]): BpfProgram[];
  /** Where bpf_trace_printk writes; replaceable. */
  tracePrintk: (line: string, cpu: number) => void;
  /** What is attached, by the offset of its `AttachmentBlock`. */
  readonly attachments: Map<number, HitRuns>;
  /** Instructions that a run may execute. */
  readonly instructionBudget: number;
  /** Enters a run on `cpu`: a free context of that CPU (nesting up to 4), or null when nested too deeply. */
  enter(cpu: number): BpfRunCtx | null;
  leave(run: BpfRunCtx): void;
  /** Runs under way on `cpu`. */
  depth(cpu: number): number;
}
