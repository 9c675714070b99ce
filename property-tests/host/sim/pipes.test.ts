import fc from 'fast-check';
import { expect, test } from 'vitest';
import { consoleOf, plumb } from '../../../test/host/sim/console-of.js';
import { DescriptorModel, PipeModel } from './descriptor-model.js';

const runs = (quick: number): { numRuns: number } => ({ numRuns: Number(process.env['KSCOPE_CASES'] ?? quick) });
const OPERATIONS = 22;

test('whatever is written into a pipe is read from it, in order, however it is cut', () => {
  const bytes = fc.integer({ min: 1, max: 120_000 });
  const chunk = fc.integer({ min: 1, max: 20_000 });
  const stage = fc.constantFrom('', ' | cat', ' | cat | cat');
  fc.assert(
    fc.property(
      bytes,
      chunk,
      chunk,
      stage,
      fc.nat(1 << 30),
      fc.integer({ min: 1, max: 4 }),
      (size, out, back, between, seed, cpus) => {
        // Small chunks of many bytes take long and show nothing more.
        const total = Math.min(size, 400 * Math.min(out, back));
        const script = `pump ${total} ${out} ${seed}${between} | pump - ${back} ${seed}`;
        expect(consoleOf(script, { cpus, seed })).toBe(`${total}\n`);
      },
    ),
    runs(8),
  );
}, 300_000);

test('descriptors that were duplicated share the place in their file; others do not', () => {
  const fd = fc.integer({ min: 3, max: 8 });
  const operation = fc.oneof(
    fc.constant('open:/src/parse.c'),
    fd.map((n) => `dup:${n}`),
    fc.tuple(fd, fd).map(([from, to]) => `dup2:${from},${to}`),
    fc.tuple(fd, fd).map(([from, start]) => `dupfd:${from},${start}`),
    fd.map((n) => `close:${n}`),
    fd.map((n) => `tell:${n}`),
    fc.tuple(fd, fc.nat(900)).map(([n, size]) => `read:${n},${size}`),
    fc.tuple(fd, fc.nat(6000)).map(([n, at]) => `seek:${n},${at}`),
  );
  fc.assert(
    fc.property(fc.array(operation, { minLength: 4, maxLength: OPERATIONS }), (operations) => {
      const model = new DescriptorModel();
      const all = ['open:/src/parse.c', ...operations];
      expect(plumb(...all)).toEqual(all.map((each) => String(model.run(each))));
    }),
    runs(15),
  );
}, 300_000);

test('an epoll tells of every file that is ready by level, and of no other', () => {
  const pipe = fc.nat(2);
  const end = fc.tuple(pipe, fc.nat(1)).map(([which, write]) => 3 + 2 * which + write);
  const size = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constantFrom(4096, 9000, 40_000, 65_536));
  const events = fc.constantFrom(0, 1, 4, 5);
  const operation = fc.oneof(
    fc.tuple(pipe, size).map(([which, n]) => `write:${4 + 2 * which},${n}`),
    fc.tuple(pipe, size).map(([which, n]) => `read:${3 + 2 * which},${n}`),
    fc.tuple(end, events).map(([fd, mask]) => `add:9,${fd},${mask}`),
    fc.tuple(end, events).map(([fd, mask]) => `mod:9,${fd},${mask}`),
    end.map((fd) => `del:9,${fd}`),
    end.map((fd) => `close:${fd}`),
    fc.tuple(end, events).map(([fd, mask]) => `poll:${fd},${mask}`),
    { weight: 4, arbitrary: fc.constant('wait:9,16') },
  );
  fc.assert(
    fc.property(fc.array(operation, { minLength: 4, maxLength: OPERATIONS }), (operations) => {
      const model = new PipeModel();
      const all = ['ignore:13', 'pipen', 'pipen', 'pipen', 'epoll', ...operations];
      expect(plumb(...all)).toEqual(all.map((each) => String(model.run(each))));
    }),
    runs(25),
  );
}, 300_000);
