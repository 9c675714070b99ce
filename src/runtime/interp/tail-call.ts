import { ProgArrayMap } from '../map/fd-array-map.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import type { Activation } from './activation.js';
import { RunStopped } from './stop.js';

/** MAX_TAIL_CALL_CNT. */
const MAX_TAIL_CALLS = 33;

/**
 * bpf_tail_call(ctx, prog array, index): the program found there runs in place of the current function, and
 * its result is that function's. False, and nothing has happened, where the slot is empty, the index outside
 * the array, or the run has made its 33 tail calls.
 */
export function tailCall(vm: Activation): boolean {
  const { registers: r, run, guard } = vm;
  const map = r[5] === BPF_MEMORY_HI ? run.runtime.mapAt(r[4] >>> 0) : undefined;
  if (!(map instanceof ProgArrayMap)) throw new RunStopped('bpf_tail_call#12: argument 2 must be a prog array');
  if (r[3] !== BPF_MEMORY_HI || r[2] >>> 0 !== run.ctx) {
    throw new RunStopped('bpf_tail_call#12: argument 1 must be the context');
  }
  const target = map.get(r[6] >>> 0);
  if (target === undefined || run.tailCalls >= MAX_TAIL_CALLS) return false;
  run.tailCalls++;
  // The current frame is dead: the target's stack begins where it began.
  const { stackPointer, program, callback } = run;
  run.stackPointer = r[20] >>> 0;
  run.program = target;
  r[0] = target.engine.run(run, run.ctx);
  r[1] = run.resultHi;
  run.stackPointer = stackPointer;
  run.program = program;
  run.callback = callback;
  if (run.fault !== null) throw new RunStopped(run.fault.reason);
  guard.forget();
  return true;
}
