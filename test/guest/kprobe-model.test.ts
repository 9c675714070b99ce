import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { V86Host } from '../../src/host/v86/index.js';
import { kitMachine } from '../../property-tests/kprobe/kit-machine.js';
import { MachineWorld } from '../../property-tests/kprobe/machine-model.js';
import { machineOperations } from '../../property-tests/kprobe/machine-operations.js';
import { restoreTestGuest, testGuest } from './v86/test-guest.js';
import { v86Facts } from './v86/v86-facts.js';

const RUNS = Number(process.env['KSCOPE_MACHINE_RUNS'] ?? 12);

let host: V86Host;

beforeAll(async () => {
  host = await restoreTestGuest(await testGuest());
}, 400_000);

afterAll(() => host?.close());

it(
  'probes on a Linux guest count what its own program counts, under any sequence of events',
  { timeout: 600_000 },
  () => {
    const machine = kitMachine(host, v86Facts(host));
    let hits = 0;
    fc.assert(
      fc.property(machineOperations(20), (operations) => {
        const world = new MachineWorld(machine);
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
    expect(host.oops).toBeNull();
  },
);
