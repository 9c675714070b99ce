import { BpfProgType } from 'kscope/base';
import type { Host } from 'kscope/host';
import { type Link, Machine } from 'kscope/machine';
import { type AttachTarget, type BpfProgram, createBareHost, exit, mov64Imm } from 'kscope/runtime';
import { type DefinedTracepoint, defineTracepoint, TracepointSet } from 'kscope/tracepoint';
import type { EngineRow } from '../engines.js';

type HitTracepoint = DefinedTracepoint<{ readonly value: 'u64'; readonly kind: 'u32' }>;

const KINDS = {
  raw: {
    type: BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT,
    target: { kind: 'raw_tracepoint', name: 'hit', writable: false },
  },
  event: {
    type: BpfProgType.BPF_PROG_TYPE_TRACEPOINT,
    target: { kind: 'tracepoint', system: 'bench', name: 'hit' },
  },
} as const satisfies Record<string, { type: number; target: AttachTarget }>;

/** `raw`: programs see the arguments; `event`: the trace event's record, made once per hit. */
export type HookKind = keyof typeof KINDS;

/** A host with one tracepoint, and a machine to attach programs to it. */
export class HookFixture {
  readonly tracepoint: HitTracepoint = defineTracepoint({
    system: 'bench',
    name: 'hit',
    args: { value: 'u64', kind: 'u32' },
  });
  readonly machine: Machine;

  constructor(engine: EngineRow) {
    const memory = engine.memory?.();
    this.machine = new Machine(hostWith(this.tracepoint), {
      engine: engine.create(),
      ...(memory === undefined ? {} : { memory }),
      onFault: ({ program, pc, reason }) => {
        throw new Error(`${program} stopped at ${pc}: ${reason}`);
      },
    });
  }

  /** A program that does nothing but return `result`. */
  program(kind: HookKind, result: number): BpfProgram {
    return this.machine.runtime.loadProgram({
      name: `return_${result}`,
      type: KINDS[kind].type,
      expectedAttachType: 0,
      license: 'GPL',
      insns: [mov64Imm(0, result), exit()],
      maps: [],
    });
  }

  /** Attaches `count` programs, no two alike. */
  attach(kind: HookKind, count: number): Link[] {
    return Array.from({ length: count }, (_, i) => this.machine.attach(this.program(kind, i), KINDS[kind].target));
  }
}

function hostWith(tracepoint: HitTracepoint): Host {
  const host = createBareHost();
  return {
    ...host,
    capabilities: { ...host.capabilities, tracepoints: true },
    tracepoints: new TracepointSet([tracepoint]),
  };
}
