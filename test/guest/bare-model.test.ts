import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ModelMachine, MachineWorld } from '../../property-tests/kprobe/machine-model.js';
import { machineOperations } from '../../property-tests/kprobe/machine-operations.js';
import { describeWith } from '../oracle/describe-with.js';
import { BareGuest, bareWays } from './kernel/bare-guest.js';
import { bareArchs, bareKernel } from './kernel/bare-kernel.js';

const RUNS = Number(process.env['KSCOPE_MACHINE_RUNS'] ?? 12);
/** Functions that the kernel counts; the last two are left by a jump, or never return. */
const FUNCTIONS = ['do_round', 'fib', 'hash_name', 'device_read', 'tail_target', 'tail_enter', 'throw_deep'];
const OPERATIONS = 24;

/** The kernel as the model wants it; its rounds bring breakpoints of its own, in both modes. */
function bareMachine(guest: BareGuest): ModelMachine {
  return {
    host: guest.host,
    functions: FUNCTIONS,
    calls: (name) => guest.counts[name],
    foreign() {
      const { own, user } = guest.breaksDone;
      const { own_breaks, user_breaks, unknown_breaks } = guest.counts;
      if (unknown_breaks > 0) throw new Error(`the kernel met ${unknown_breaks} breakpoints that are not its own`);
      return { executed: own + user, handled: own_breaks + user_breaks };
    },
    goOn() {
      guest.load(guest.slow ? 2 : 200);
      guest.run(guest.slow ? 10e6 : 2e6);
    },
    rest() {
      guest.restSoon();
      guest.work(guest.slow ? 1 : 8);
    },
  };
}

const cases = bareArchs.flatMap((arch) => bareWays(arch).map((way) => ({ arch, way })));

for (const { arch, way } of cases) {
  describeWith(`the model of probes on the bare-metal kernel: ${arch}, traps by ${way}`, bareKernel(arch), (kernel) => {
    let guest: BareGuest;

    beforeAll(() => {
      guest = new BareGuest(kernel, way);
    }, 60_000);

    afterAll(() => guest?.close());

    it(
      'counts what the kernel counts, restores its text, and swallows none of its traps, under any sequence of events',
      { timeout: 300_000 },
      () => {
        const machine = bareMachine(guest);
        let hits = 0;
        fc.assert(
          fc.property(machineOperations(OPERATIONS), (operations) => {
            const world = new MachineWorld(machine);
            for (const operate of operations) {
              operate(world);
              expect(world.check()).toEqual([]);
            }
            expect(world.finish()).toEqual([]);
            hits += world.hits;
          }),
          { numRuns: arch === 'riscv64' && way === 'mailbox' ? RUNS : Math.ceil(RUNS / 4), endOnFailure: true },
        );
        expect(hits).toBeGreaterThan(0);
        expect(guest.finish()['insn_mix_wrong']).toBe(0);
        expect(guest.powerOff()).toBe('exited');
      },
    );
  });
}
