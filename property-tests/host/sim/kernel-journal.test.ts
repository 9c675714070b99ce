import fc from 'fast-check';
import { expect, test } from 'vitest';
import { journalOf } from '../../../test/host/sim/kernel-machine.js';
import { violations } from '../../../test/host/sim/journal-laws.js';

const path = fc.constantFrom('/etc/motd', '/src/main.c', '/tmp/a', '/tmp/b', '/etc/none', '/none/x', '/tmp');
const size = fc.integer({ min: 0, max: 20_000 });

const operation = fc.oneof(
  path.map((name) => `open:${name}`),
  fc.constantFrom('create:/tmp/a', 'create:/tmp/b'),
  size.map((n) => `read:${n}`),
  size.map((n) => `write:${n}`),
  size.map((n) => `lseek:${n}`),
  fc.constantFrom(
    'fsync',
    'fstat',
    'drop',
    'close',
    'fork',
    'yield',
    'getpid',
    'getppid',
    'clock',
    'connect:80',
    'connect:81',
  ),
  path.map((name) => `open2:${name}`),
  fc.integer({ min: 0, max: 9 }).map((n) => `brk:${n}`),
  path.map((name) => `stat:${name}`),
  fc.constantFrom('unlink:/tmp/a', 'unlink:/tmp/b', 'mkdir:/tmp/d', 'threads:2', 'poke:syscall'),
  fc.integer({ min: 0, max: 3000 }).map((us) => `sleep:${us}`),
  fc.integer({ min: 0, max: 20_000 }).map((n) => `compute:${n}`),
  fc.integer({ min: 1, max: 20 }).map((n) => `touch:${n}`),
);

const command = fc.oneof(
  { weight: 5, arbitrary: fc.array(operation, { minLength: 1, maxLength: 8 }).map((list) => `op ${list.join(' ')}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('cat /etc/motd', 'cp /src/main.c /tmp/c', 'fio /tmp/f 6 1', 'cc1 /src/main.c /tmp/o 2'),
  },
  { weight: 1, arbitrary: fc.constantFrom('op poke:user', 'op poke:hlt', 'missing') },
);

const script = fc
  .array(fc.tuple(command, fc.boolean()), { minLength: 1, maxLength: 10 })
  .map((lines) =>
    ['httpd 80 0 &', ...lines.map(([line, background]) => (background ? `${line} &` : line)), 'sleep 20000'].join('\n'),
  );

test('whatever runs, on however many CPUs: the kernel stands, ends, and keeps the laws of its journal', () => {
  fc.assert(
    fc.property(script, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 1 << 30 }), (text, cpus, seed) => {
      const { host, entries, stop } = journalOf({ script: text, cpus, seed });
      expect({ stop, oops: host.oops }).toEqual({ stop: 'finished', oops: null });
      expect(violations(entries, cpus)).toEqual([]);
    }),
    { numRuns: Number(process.env['KSCOPE_RUNS'] ?? 60) },
  );
}, 600_000);
