import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  KprobeEvents,
  KprobeRegistry,
  KretprobeRegistry,
  ProbeEventError,
  printEvent,
} from '../../src/kprobe/index.js';
import { type TraceEvent, TracepointRegistry } from '../../src/tracepoint/index.js';
import { TestHost } from '../../test/support/test-host.js';
import { TestRuntime } from '../../test/support/test-runtime.js';
import { FRAME, LEAF } from '../../test/support/text.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 2000);

function setUp(): { host: TestHost; events: KprobeEvents; tracepoints: TracepointRegistry } {
  const host = new TestHost({ functions: { frame: FRAME, leaf: LEAF } });
  const kprobes = new KprobeRegistry(host);
  const { runtime } = new TestRuntime(host);
  const tracepoints = new TracepointRegistry(runtime, { list: [], setEnabled: () => {}, setSink: () => {} });
  const events = new KprobeEvents(kprobes, new KretprobeRegistry(kprobes), {
    exists: () => false,
    added: (event) => tracepoints.add(event),
    removing: ({ group, name }) => tracepoints.remove(group, name),
  });
  return { host, events, tracepoints };
}

/** Pieces of the grammar, so that most texts are nearly right. */
const piece = fc.constantFrom(
  ...['p', 'r', 'p:', 'r5:', '-:', 'e', 'grp/', 'ev', ' ', '\t', 'frame', 'leaf', '+', '-', '0', '1', '0x', '%return'],
  ...[
    '%di',
    '%',
    '$arg1',
    '$stack',
    '$retval',
    '$comm',
    '@frame',
    '@',
    '+0(',
    '-8(',
    '+u0(',
    ')',
    '\\',
    '\\"',
    '"',
    '=',
  ],
  ...[
    ':u8',
    ':x64',
    ':string',
    ':ustring',
    ':symstr',
    ':symbol',
    ':b4@2/8',
    ':char',
    '[',
    '[3]',
    ']',
    '#',
    '/',
    '.',
    'é',
    '\0',
  ],
);
const definition = fc.oneof(
  fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join('')),
  fc.array(piece, { maxLength: 10 }).map((pieces) => `p:e frame ${pieces.join('')}`),
  fc.string({ maxLength: 40 }),
);

describe('any text as definitions', () => {
  it('is taken or refused with an error that marks a place in it', () => {
    const { host, events } = setUp();
    const before = host.text.log.length;
    fc.assert(
      fc.property(definition, (text) => {
        try {
          events.write(text);
          for (const { layout } of events.events) expect(layout.size).toBeGreaterThanOrEqual(16);
        } catch (error) {
          expect(error).toBeInstanceOf(ProbeEventError);
          const { command, position, log, code } = error as ProbeEventError;
          expect(position).toBeGreaterThanOrEqual(0);
          expect(position).toBeLessThanOrEqual(command.length + 1);
          expect(log === '' || log.includes(`  Command: ${command}\n`)).toBe(true);
          expect(code).toMatch(/^(EINVAL|ENOENT|EEXIST|ERANGE|EILSEQ|EOPNOTSUPP|EADDRNOTAVAIL)$/);
        }
        events.clear();
      }),
      { numRuns: RUNS },
    );
    expect(host.text.log.slice(before).filter((line) => line.startsWith('patch frame+0x0'))).toEqual([]);
    expect(host.text.allocated).toBe(0);
  });
});

interface Number64 {
  readonly value: bigint;
  readonly type: string;
  readonly shown: string;
}

const SIZES = [8, 16, 32, 64] as const;

/** A value, a type, and what Linux prints: the model knows only BigInt. */
const typed: fc.Arbitrary<Number64> = fc
  .record({
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    size: fc.constantFrom(...SIZES),
    letter: fc.constantFrom('u', 's', 'x', 'b'),
    from: fc.nat({ max: 63 }),
    width: fc.integer({ min: 1, max: 64 }),
  })
  .map(({ value, size, letter, from, width }) => {
    const cut = BigInt.asUintN(size, value);
    if (letter === 'u') return { value, type: `u${size}`, shown: String(cut) };
    if (letter === 's') return { value, type: `s${size}`, shown: String(BigInt.asIntN(size, value)) };
    if (letter === 'x') return { value, type: `x${size}`, shown: `0x${cut.toString(16)}` };
    const start = from % size;
    const bits = Math.min(width, size - start);
    const shown = String(BigInt.asUintN(bits, cut >> BigInt(start)));
    return { value, type: `b${bits}@${start}/${size}`, shown };
  });

/** Registers a definition, hits it once and gives the text of the record. */
function shownOf(fields: string, regs: readonly bigint[]): string {
  const { host, events, tracepoints } = setUp();
  events.write(`p:ev frame ${fields}`);
  const [event] = events.events;
  const { name, isReturn, layout, probes } = event;
  const traceEvent: TraceEvent = tracepoints.event('kprobes', name);
  let text = '';
  traceEvent.register((_data, record) => {
    text = printEvent({ name, isReturn, layout, args: probes[0].definition.args }, record.bytes(), host.symbols);
  }, null);
  host.call('frame', 0, regs);
  return text;
}

describe('a number of any type', () => {
  it('is what its bits say, from a register, an immediate and memory', () => {
    fc.assert(
      fc.property(fc.array(typed, { minLength: 1, maxLength: 3 }), (numbers) => {
        const args = numbers.flatMap(({ type, value }, i) => [`$arg${i + 1}:${type}`, `\\${value}:${type}`]);
        const expected = numbers.flatMap(({ shown }) => [shown, shown]);
        const text = shownOf(
          args.join(' '),
          numbers.map(({ value }) => value),
        );
        expect(text).toBe(`ev: (frame+0x0/0x10)${expected.map((shown, i) => ` arg${i + 1}=${shown}`).join('')}`);
      }),
      { numRuns: RUNS / 10 },
    );
  });
});
