import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSim } from '../../../src/host/sim/index.js';
import { violations } from '../../../test/host/sim/journal-laws.js';
import { runToEnd } from '../../../test/host/sim/kernel-machine.js';
import { diagramViolations } from '../../../test/host/sim/tcp-model.js';

const ends = fc.constantFrom(
  ['accept:90', 'dial:90'],
  ['accept6:90', 'dial6:90'],
  ['accept6:90', 'dial:90'],
  ['accept6:90', 'mapped:90'],
  ['accept:90', 'mapped:90'],
);
const buffer = fc.option(fc.integer({ min: 1200, max: 40_000 }), { nil: null });
const chunk = fc.integer({ min: 1, max: 9000 });

/** Chunks one end writes, and how the other takes them: `get` and `end` of op fail if a byte is not as it was sent. */
const flow = fc.record({
  ends,
  up: fc.array(chunk, { minLength: 1, maxLength: 5 }),
  down: fc.array(chunk, { maxLength: 3 }),
  rcvbuf: buffer,
  sndbuf: buffer,
  sleep: fc.integer({ min: 0, max: 300_000 }),
});
const network = fc.record({
  packetLoss: fc.integer({ min: 0, max: 150 }),
  packetReorder: fc.integer({ min: 0, max: 400 }),
  cpus: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 0, max: 1 << 30 }),
});

type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;

/** Room for one segment, most of which is taken: a window of one byte stayed one. */
const SMALL_BUFFER: [Generated<typeof flow>, Generated<typeof network>] = [
  {
    ends: ['accept:90', 'mapped:90'],
    up: [8991, 55, 13, 1850],
    down: [11],
    rcvbuf: 1203,
    sndbuf: 9908,
    sleep: 65_023,
  },
  { packetLoss: 109, packetReorder: 296, cpus: 1, seed: 28 },
];

const sum = (chunks: readonly number[]): number => chunks.reduce((total, each) => total + each, 0);

test('every byte arrives once and in order, and sockets keep to the diagram', () => {
  fc.assert(
    fc.property(flow, network, ({ ends: [server, client], up, down, rcvbuf, sndbuf, sleep }, options) => {
      const puts = (chunks: readonly number[]): string => chunks.map((each) => `put:${each}`).join(' ');
      const receiving = rcvbuf === null ? '' : `rcvbuf:${rcvbuf}`;
      const sending = sndbuf === null ? '' : `sndbuf:${sndbuf}`;
      const script = `op ${receiving} ${server} sleep:${sleep} get:${sum(up)} end ${puts(down)} close &
op ${sending} ${client} ${puts(up)} shutdown get:${sum(down)} end close
wait`;
      const host = createSim({ script, ...options });
      expect({ ...runToEnd(host), oops: host.oops, console: host.console }).toEqual({
        stop: 'finished',
        status: 0,
        oops: null,
        console: '',
      });
      const entries = [...host.journal.entries()];
      expect(violations(entries, options.cpus)).toEqual([]);
      expect(diagramViolations(entries)).toEqual([]);
    }),
    { numRuns: Number(process.env['KSCOPE_RUNS'] ?? 12), examples: [SMALL_BUFFER] },
  );
}, 600_000);
