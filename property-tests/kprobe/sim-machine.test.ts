import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JournalKind, type SimHost } from '../../src/host/sim/index.js';
import { bootSimForKit } from '../../test/testing/sim-facts.js';
import { type ModelMachine, MachineWorld } from './machine-model.js';
import { machineOperations } from './machine-operations.js';

const RUNS = Number(process.env['KSCOPE_MACHINE_RUNS'] ?? 4);
const SIGTRAP = 5n;

/** Functions with what the kernel writes down each time one is called. */
const JOURNALED: Readonly<Record<string, number>> = {
  do_sys_openat2: JournalKind.OPEN,
  vfs_read: JournalKind.READ,
  kernel_clone: JournalKind.FORK,
  do_exit: JournalKind.EXIT,
  context_switch: JournalKind.SWITCH,
  handle_mm_fault: JournalKind.FAULT,
};

/** Two CPUs between which tasks move; programs that open, read, fault, fork, break and end. */
function simMachine(): ModelMachine {
  const { host, facts } = bootSimForKit();
  let rounds = 0;
  return {
    host,
    functions: Object.keys(JOURNALED),
    calls: (name) => count(host, JOURNALED[name] ?? -1),
    // Each round one program executes a breakpoint of its own, and dies of it.
    foreign: () => ({ executed: rounds, handled: count(host, JournalKind.EXIT, (b) => (b & 0x7fn) === SIGTRAP) }),
    goOn: () => facts.interlude?.(),
    rest: () => {
      facts.workload();
      rounds++;
    },
  };
}

function count(host: SimHost, kind: number, where: (b: bigint) => boolean = () => true): number {
  let found = 0;
  for (let i = 0; i < host.journal.length; i++) {
    const entry = host.journal.at(i);
    if (entry.kind === kind && where(entry.b)) found++;
  }
  return found;
}

it(
  'probes on the running simulator count what its journal says, under any sequence of events',
  { timeout: 600_000 },
  () => {
    let hits = 0;
    fc.assert(
      fc.property(machineOperations(24), (operations) => {
        const world = new MachineWorld(simMachine());
        for (const operate of operations) {
          operate(world);
          expect(world.check()).toEqual([]);
        }
        expect(world.finish()).toEqual([]);
        hits += world.hits;
      }),
      { numRuns: RUNS },
    );
    expect(hits).toBeGreaterThan(0);
  },
);
