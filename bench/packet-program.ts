import { Collection, type CollectionProgram, CollectionSpec } from 'kscope/loader';
import { BpfRuntime, type BpfRunCtx, createBareHost, DEFAULT_BUDGET, type EngineProgram } from 'kscope/runtime';
import type { EngineRow } from './engines.js';
import type { Loop } from './stopwatch.js';

/** Offsets in struct xdp_md. */
const XdpMd = { data: 0, data_end: 4, data_meta: 8, size: 24 } as const;

/** An XDP program of an object, in a runtime of its own, on a packet that stands in memory. */
export class PacketProgram {
  readonly runtime: BpfRuntime;
  readonly collection: Collection;
  /** Runs the program `count` times and leaves what it returned last in `result`. */
  readonly loop: Loop;
  /** Low word of r0, unsigned. */
  result = 0;

  constructor(engine: EngineRow, object: Uint8Array, packet: Uint8Array) {
    const memory = engine.memory?.();
    this.runtime = new BpfRuntime(createBareHost(), {
      engine: engine.create(),
      ...(memory === undefined ? {} : { memory }),
    });
    this.collection = Collection.load(CollectionSpec.parse(object), this.runtime);
    const [{ program }] = this.collection.programs.values() as Iterable<CollectionProgram> as [CollectionProgram];
    const run = this.#enter(packet);
    run.program = program;
    const body = freshLoop(this.runtime, program.engine, run);
    this.loop = (count) => {
      this.result = body(count) >>> 0;
      if (run.fault !== null) throw new Error(`${program.name} stopped at ${run.fault.pc}: ${run.fault.reason}`);
    };
  }

  /** Opens a run that is never left: its context and packet stay where they are. */
  #enter(packet: Uint8Array): BpfRunCtx {
    const { memory } = this.runtime;
    const start = memory.alloc(packet.length);
    const end = start + packet.length;
    const ctx = memory.alloc(XdpMd.size);
    memory.u8.set(packet, start);
    memory.view.setUint32(ctx + XdpMd.data, start, true);
    memory.view.setUint32(ctx + XdpMd.data_end, end, true);
    memory.view.setUint32(ctx + XdpMd.data_meta, start, true);
    const run = this.runtime.enter(0);
    if (run === null) throw new Error('a new runtime has no run under way');
    run.ctx = ctx;
    run.ctxSize = XdpMd.size;
    run.packetStart = start;
    run.packetEnd = end;
    run.extraRegions.push({ start, end, stride: 0, size: packet.length, writable: true });
    return run;
  }
}

/** Runs the program so often; what it returned last. */
type ProgramLoop = (count: number) => number;

let loops = 0;

/**
 * A loop whose call site has seen no other program: V8 shares what it learnt between functions of the same source, so
 * each has a source of its own, and what it calls is a constant of it. Attach points are compiled like that too. As in the
 * kernel's loop of test runs, a run is set up once for all repetitions, unless the program takes from its budget. Wake-ups
 * are delivered behind each.
 */
function freshLoop({ wakeups }: BpfRuntime, engine: EngineProgram, run: BpfRunCtx): ProgramLoop {
  const { compiled } = engine;
  const isDirect = compiled !== undefined && compiled.contextNeed <= run.ctxSize;
  const isEach = !isDirect || compiled.usesBudget;
  const call = isDirect ? 'entry(ctx, run.stackPointer, 0)' : 'engine.run(run, ctx)';
  const source = `
    const { engine, compiled, entry, run, ctx, budget, wakeups } = values;
    return (count) => {
      let result = 0;
      ${isEach ? '' : BEGIN}
      for (let i = 0; i < count; i++) {
        ${isEach ? BEGIN : ''}
        result = ${call};
        ${isEach ? END : ''}
        if (wakeups.any) wakeups.deliver();
      }
      ${isEach ? '' : END}
      return result;
    }; // ${loops++}`;
  // oxlint-disable-next-line typescript/no-implied-eval -- see above
  const make = new Function('values', source) as (values: object) => ProgramLoop;
  const budget = DEFAULT_BUDGET;
  return make({ engine, compiled: compiled ?? ALONE, entry: compiled?.entry, run, ctx: run.ctx, budget, wakeups });
}

const BEGIN = `
      run.budget = budget;
      compiled.begin(run, ctx);
      try {`;
const END = `
      } catch (error) { if (run.fault === null) throw error; }
      finally { compiled.end(run); }`;
/** `EngineProgram.run` sets up and ends by itself. */
const ALONE = { begin() {}, end() {} };
