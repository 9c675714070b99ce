import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BpfProgType, PerfEventSampleFormat as F, PerfSwIds } from '../../src/base/index.js';
import { type PerfEvent, perfEventAttr, PerfReader } from '../../src/perf/index.js';
import { alu64Imm, BPF_AND, BPF_DW, exit, ldx, type BpfProgram } from '../../src/runtime/index.js';
import { PerfFixture } from '../../test/perf/perf-fixture.js';
import { setTracing } from '../../test/support/test-runtime.js';

/** One event and what it must have done, by the rules alone. */
interface Tracked {
  readonly event: PerfEvent;
  readonly pid: number;
  readonly cpu: number;
  readonly hasProgram: boolean;
  enabled: boolean;
  open: boolean;
  taken: number;
  kept: number;
}

const index = fc.nat({ max: 5 });
const action = fc.oneof(
  fc.record({
    do: fc.constant('open' as const),
    pid: fc.constantFrom(-1, 100, 101),
    cpu: fc.constantFrom(-1, 0, 1),
    hasProgram: fc.boolean(),
    skip: fc.constantFrom('none' as const, 'exclude_user' as const, 'exclude_kernel' as const),
  }),
  fc.record({ do: fc.constantFrom('enable' as const, 'disable' as const, 'close' as const), index }),
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('sample' as const),
      cpu: fc.nat({ max: 1 }),
      user: fc.boolean(),
      di: fc.bigInt({ min: 0n, max: 3n }),
      busy: fc.boolean(),
    }),
  },
  fc.record({ do: fc.constant('migrate' as const) }),
);

describe('perf events', () => {
  it('sample their CPU or thread while enabled, whatever opens, closes and moves around them', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const fixture = new PerfFixture();
        const { host, runtime } = fixture;
        const usedBefore = runtime.memory.used;
        // Keeps the record iff the first argument register is odd.
        const sampler: BpfProgram = runtime.loadProgram({
          name: 'odd',
          type: BpfProgType.BPF_PROG_TYPE_PERF_EVENT,
          expectedAttachType: 0,
          license: 'GPL',
          maps: [],
          insns: [ldx(BPF_DW, 0, 1, 8 * host.arch.ptRegs.args[0]), alu64Imm(BPF_AND, 0, 1), exit()],
        });
        const usedByProgram = runtime.memory.used - usedBefore;
        const events: (Tracked & { readonly skip: string })[] = [];
        for (const step of actions) {
          if (step.do === 'open') {
            if (step.pid === -1 && step.cpu === -1) continue;
            const event = fixture.perf.open(
              perfEventAttr({
                type: 1,
                config: BigInt(PerfSwIds.PERF_COUNT_SW_CPU_CLOCK),
                samplePeriod: 1_000_000n,
                sampleType: F.PERF_SAMPLE_TID,
                flags: step.skip === 'none' ? [] : [step.skip],
              }),
              { pid: step.pid, cpu: step.cpu },
            );
            event.mmap(16);
            if (step.hasProgram) event.setProgram(sampler);
            events.push({ ...step, event, enabled: true, open: true, taken: 0, kept: 0 });
          } else if (step.do === 'sample') {
            setTracing(runtime, step.cpu, step.busy);
            host.sample(step.cpu, host.enter('busy', [step.di]), step.user);
            setTracing(runtime, step.cpu, false);
            const tid = host.current[step.cpu]?.pid;
            for (const one of events) {
              if (!one.enabled || !one.open) continue;
              if ((one.cpu !== -1 && one.cpu !== step.cpu) || (one.pid !== -1 && one.pid !== tid)) continue;
              if (one.skip === (step.user ? 'exclude_user' : 'exclude_kernel')) continue;
              one.taken++;
              if (!one.hasProgram || (!step.busy && step.di % 2n === 1n)) one.kept++;
            }
          } else if (step.do === 'migrate') host.current.reverse();
          else {
            const one = events[step.index];
            if (one === undefined || !one.open) continue;
            if (step.do === 'close') one.open = false;
            else one.enabled = step.do === 'enable';
            if (step.do === 'close') checkEvent(one);
            one.event[step.do]();
          }
        }
        for (const one of events) if (one.open) checkEvent(one);
        fixture.perf.close();
        expect([host.samplersOn(0), host.samplersOn(1)]).toEqual([0, 0]);
        expect(runtime.memory.used).toBe(usedBefore + usedByProgram);
      }),
      { numRuns: 200 },
    );
  });
});

function checkEvent({ event, taken, kept }: Tracked): void {
  const { counts } = event;
  expect(counts.taken).toBe(taken);
  expect(counts.recorded + counts.programOnly + counts.missed + counts.ringFull + counts.unread).toBe(taken);
  let read = 0;
  new PerfReader([event]).poll(() => read++);
  expect(read).toBe(kept);
}
