import { BpfMapType, BpfProgType } from '../../../src/base/index.js';
import {
  BpfRuntime,
  createInterpreter,
  type BpfMap,
  type BpfProgram,
  type BpfRuntimeOptions,
  type Engine,
  type Insn,
  type LineInfo,
  type ProgramFault,
} from '../../../src/runtime/index.js';
import { TestHost } from '../../support/test-host.js';

export interface Fixture {
  readonly host: TestHost;
  readonly runtime: BpfRuntime;
  array(
    valueSize: number,
    extra?: { maxEntries?: number; flags?: number; contents?: Uint8Array; frozen?: boolean },
  ): BpfMap;
  load(insns: readonly (Insn | readonly Insn[])[], options?: LoadOptions): BpfProgram;
  /** r0's low word, or the fault. */
  run(program: BpfProgram, ctx?: Uint8Array): number | ProgramFault;
}

export interface LoadOptions {
  readonly type?: number;
  readonly maps?: readonly BpfMap[];
  readonly lines?: readonly LineInfo[];
  readonly name?: string;
  readonly license?: string;
}

/** The engine that `fixture` makes runtimes with: tests of another engine put theirs here and run the same tests. */
export const subject: { engine: () => Engine } = { engine: createInterpreter };

/** A runtime on a test host of one CPU. */
export function fixture(options: BpfRuntimeOptions = {}): Fixture {
  const host = new TestHost({ cpus: 1 });
  const runtime = new BpfRuntime(host, { engine: subject.engine(), ...options });
  return {
    host,
    runtime,
    array: (valueSize, extra = {}) =>
      runtime.createMap({
        name: 'values',
        type: BpfMapType.BPF_MAP_TYPE_ARRAY,
        keySize: 4,
        valueSize,
        maxEntries: 1,
        flags: 0,
        keyTypeId: 0,
        valueTypeId: 0,
        ...extra,
      }),
    load: (insns, { type, maps, lines, name, license } = {}) =>
      runtime.loadProgram({
        name: name ?? 'prog',
        type: type ?? BpfProgType.BPF_PROG_TYPE_KPROBE,
        expectedAttachType: 0,
        license: license ?? 'GPL',
        insns: insns.flat<readonly (Insn | readonly Insn[])[]>(),
        maps: maps ?? [],
        ...(lines === undefined ? {} : { lines }),
      }),
    run: (program, ctx = new Uint8Array(16)) => runOnce(runtime, program, ctx),
  };
}

function runOnce(runtime: BpfRuntime, program: BpfProgram, bytes: Uint8Array): number | ProgramFault {
  const ctx = runtime.memory.alloc(bytes.length);
  runtime.memory.u8.set(bytes, ctx);
  const run = runtime.enter(0);
  if (run === null) throw new Error('nested too deeply');
  run.program = program;
  run.ctx = ctx;
  run.ctxSize = bytes.length;
  const result = program.engine.run(run, ctx);
  const { fault } = run;
  runtime.leave(run);
  return fault ?? result;
}
