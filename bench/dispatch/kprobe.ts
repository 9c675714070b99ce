import { BpfProgType } from 'kscope/base';
import type { TrapHandler } from 'kscope/host';
import { createSim } from 'kscope/host/sim';
import { Machine } from 'kscope/machine';
import { exit, mov64Imm } from 'kscope/runtime';
import type { EngineRow } from '../engines.js';
import { elapsedNs } from '../stopwatch.js';
import { median } from '../statistics.js';

export interface KprobeFigures {
  readonly hits: number;
  /** Nanoseconds of a hit, in the handler of its traps: median, the clock's own cost taken off. */
  readonly inHandler: number;
  /** Nanoseconds of a hit as the difference of two whole runs, with the probe and without: noisy. */
  readonly byDifference: number;
}

/** A function that the simulated kernel calls all the time. */
const SYMBOL = '_raw_spin_lock_irqsave';

/** One program that does nothing, on one function of the simulated kernel. */
export function measureKprobe(engine: EngineRow, virtualNs: number): KprobeFigures {
  const without = simulate(virtualNs, null);
  const probed = simulate(virtualNs, engine);
  const hits = probed.handlerNs.length;
  return {
    hits,
    // The first hits run in code that V8 has not compiled yet.
    inHandler: median(probed.handlerNs.slice(hits / 2)) - clockNs(),
    byDifference: (probed.wallNs - without.wallNs) / hits,
  };
}

interface Simulation {
  readonly wallNs: number;
  /** Of each hit. */
  readonly handlerNs: readonly number[];
}

function simulate(virtualNs: number, engine: EngineRow | null): Simulation {
  const sim = createSim({ workload: 'endless', cpus: 1 });
  const handlerNs: number[] = [];
  const setTrapHandler = sim.text.setTrapHandler.bind(sim.text);
  sim.text.setTrapHandler = (handler) => setTrapHandler(handler === null ? null : timed(handler, handlerNs));
  const machine = engine === null ? null : attachEmpty(new Machine(sim, { engine: engine.create() }));
  const wallNs = elapsedNs(() => sim.run({ ns: virtualNs }));
  machine?.close();
  return { wallNs, handlerNs };
}

function attachEmpty(machine: Machine): Machine {
  const program = machine.runtime.loadProgram({
    name: 'empty',
    type: BpfProgType.BPF_PROG_TYPE_KPROBE,
    expectedAttachType: 0,
    license: 'GPL',
    insns: [mov64Imm(0, 0), exit()],
    maps: [],
  });
  machine.attach(program, { kind: 'kprobe', symbol: SYMBOL, offset: 0 });
  return machine;
}

/** A hit begins with a breakpoint; where the displaced instruction has to be stepped, a second trap belongs to it. */
function timed(handler: TrapHandler, handlerNs: number[]): TrapHandler {
  return (frame) => {
    const begin = performance.now();
    const handled = handler(frame);
    const ns = (performance.now() - begin) * 1e6;
    if (frame.kind === 'step') handlerNs.push((handlerNs.pop() ?? 0) + ns);
    else handlerNs.push(ns);
    return handled;
  };
}

/** What two readings of the clock cost. */
function clockNs(): number {
  return median(Array.from({ length: 10_001 }, () => elapsedNs(() => undefined)));
}
