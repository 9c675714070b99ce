import { describe, expect, test } from 'vitest';
import { createSim, type JournalEntry, JournalKind as Kind, type SimOptions } from '../../../src/host/sim/index.js';
import { violations } from './journal-laws.js';
import { runToEnd, signed } from './kernel-machine.js';
import { diagramViolations } from './tcp-model.js';

const NR_CONNECT = 42n;
const NR_BIND = 49n;
const EADDRINUSE = -98;
const ECONNREFUSED = -111;
const CPUS = 2;

interface Run {
  readonly console: string;
  readonly entries: readonly JournalEntry[];
  of(kind: number): JournalEntry[];
  results(call: bigint): number[];
}

/** A script that has to end with a status, on a machine whose journal keeps its laws and whose sockets keep to the diagram. */
function run(script: string, options: SimOptions = {}, status = 0): Run {
  const host = createSim({ cpus: CPUS, seed: 5, script, ...options });
  expect({ ...runToEnd(host), oops: host.oops }).toEqual({ stop: 'finished', status, oops: null });
  const entries = [...host.journal.entries()];
  expect(violations(entries, CPUS)).toEqual([]);
  expect(diagramViolations(entries)).toEqual([]);
  return {
    console: host.console,
    entries,
    of: (kind) => entries.filter((entry) => entry.kind === kind),
    results: (call) =>
      entries.filter(({ kind, b }) => kind === Kind.SYSCALL_EXIT && b === call).map(({ c }) => signed(c)),
  };
}

const BYTES = 40_000;
/** One end sends, closes its half, and waits for an answer; the other reads all of it first. get and end fail if a byte is not as it should be. */
const flow = (server: string, client: string, reader = ''): string =>
  `op ${server} ${reader} get:${BYTES} end put:5000 close &\nop ${client} put:${BYTES} shutdown get:5000 end close\nwait`;

describe('a stream arrives as it was sent', () => {
  test.each([
    ['IPv4', 'accept:90', 'dial:90'],
    ['IPv6', 'accept6:90', 'dial6:90'],
    ['IPv4 to a server of IPv6', 'accept6:90', 'dial:90'],
    ['a socket of IPv6 to a server of IPv4', 'accept:90', 'mapped:90'],
    ['a socket of IPv6 by IPv4 to a server of IPv6', 'accept6:90', 'mapped:90'],
  ])('by %s', (_, server, client) => {
    expect(run(flow(server, client)).console).toBe('');
  });

  test.each([1, 2, 3])('over a device that loses and reorders packets: seed %i', (seed) => {
    const { console, of } = run(flow('accept6:90', 'dial6:90'), { seed, packetLoss: 100, packetReorder: 200 });
    expect(console).toBe('');
    expect(of(Kind.TCP_RETRANSMIT).length).toBeGreaterThan(0);
    expect(of(Kind.TCP_OUT_OF_ORDER).length).toBeGreaterThan(0);
  });
});

describe('segments out of order', () => {
  test('wait for what is missing, which is not sent again if it comes soon', () => {
    const { of } = run(flow('accept:90', 'dial:90'), { packetReorder: 250 });
    expect(of(Kind.TCP_OUT_OF_ORDER).length).toBeGreaterThan(0);
    for (const { b, c, d } of of(Kind.TCP_OUT_OF_ORDER)) {
      expect(Number(BigInt.asIntN(32, b - d))).toBeGreaterThan(0);
      expect(Number(BigInt.asIntN(32, c - b))).toBeGreaterThan(0);
    }
  });

  test('after three of the same acknowledgement a segment is sent again before its time is over', () => {
    const { of } = run(flow('accept:90', 'dial:90'), { packetLoss: 40 });
    const recovery = of(Kind.TCP_CONGESTION).filter(({ c }) => c === 3n);
    expect(recovery.length).toBeGreaterThan(0);
    const again = of(Kind.TCP_RETRANSMIT).map(({ time }) => time);
    for (const { time } of recovery) expect(again.some((at) => at >= time && at - time < 1_000_000n)).toBe(true);
  });
});

describe('windows', () => {
  test('a reader that sleeps closes its window; the writer waits, and goes on when it is open again', () => {
    const { of, console } = run(flow('accept:90', 'dial:90', 'sleep:500000').replaceAll(`${BYTES}`, '120000'));
    expect(console).toBe('');
    const opened = of(Kind.TCP_WINDOW);
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.every(({ b, c }) => c >= 2n * b && c > 0n)).toBe(true);
    expect(opened[0].b).toBeLessThan(2048n);
  });

  test('a small receive buffer is never overrun, whatever is lost', () => {
    const script = flow('rcvbuf:3000 accept:90', 'dial:90').replaceAll(`${BYTES}`, '15000');
    const { console, of } = run(script, { packetLoss: 60 });
    expect(console).toBe('');
    const overrun = of(Kind.SKB_FREE).filter(({ b }) => b === 16n);
    expect(overrun).toEqual([]);
  });

  test('a closed window is probed: the update that opens it may be lost', () => {
    const { console } = run(flow('accept:90', 'dial:90', 'sleep:700000'), { seed: 9, packetLoss: 150 });
    expect(console).toBe('');
  });
});

describe('time-wait', () => {
  const once = 'op reuseaddr accept:90 end close &\nop dial:90 close\nwait';

  // From the other end's FIN on, which comes a second time if the first met a socket on its way to time-wait.
  test('is what the end that closed first leaves, for sixty seconds', () => {
    const { of } = run(`${once}\nsleep 63000000`);
    const [begins, ends, ...rest] = of(Kind.TIME_WAIT);
    expect(rest).toEqual([]);
    expect([begins.a, begins.b, ends.a, ends.b]).toEqual([begins.a, 0n, begins.a, 1n]);
    const lasted = Number(ends.time - begins.time) / 1e9;
    expect(lasted).toBeGreaterThan(59.9);
    expect(lasted).toBeLessThan(61.2);
  });

  test('a server that closed first cannot bind its port again, unless it reuses addresses', () => {
    const first = 'op reuseaddr accept:90 close &\nop dial:90 end close\nwait';
    expect(run(`${first}\nop listen:90\nop reuseaddr listen:90`).results(NR_BIND)).toEqual([0, EADDRINUSE, 0]);
    expect(run(`${first}\nsleep 63000000\nop listen:90`).results(NR_BIND)).toEqual([0, 0]);
  });

  test('no more than 128 are kept', () => {
    const client = `op ${'dial:80 close '.repeat(10)}`;
    const { of } = run(`httpd 80 140 &\n${`${client}\n`.repeat(14)}wait`);
    const begun = of(Kind.TIME_WAIT).filter(({ b }) => b === 0n).length;
    expect(begun).toBe(128);
  });
});

describe('ports', () => {
  test.each([
    ['taken', 'op listen:90 sleep:5000 &\nsleep 1000\nop listen:90\nwait', [0, EADDRINUSE]],
    [
      'bound, and not listened on',
      'op reuseaddr listen:90 sleep:5000 &\nsleep 1000\nop reuseaddr listen:90\nwait',
      [0, EADDRINUSE],
    ],
    ['shared by both', 'op reuseport listen:90 sleep:5000 &\nsleep 1000\nop reuseport listen:90\nwait', [0, 0]],
    [
      'of IPv4, asked for by any of IPv6',
      'op listen:90 sleep:5000 &\nsleep 1000\nop listen6:90\nwait',
      [0, EADDRINUSE],
    ],
    ['of IPv4, asked for by IPv6 only', 'op listen:90 sleep:5000 &\nsleep 1000\nop v6only listen6:90\nwait', [0, 0]],
  ])('%s', (_, script, results) => {
    expect(run(script).results(NR_BIND)).toEqual(results);
  });

  test('where nobody listens: ECONNREFUSED, by a reset', () => {
    const { results, of } = run('op connect:91');
    expect(results(NR_CONNECT)).toEqual([ECONNREFUSED]);
    expect(of(Kind.TCP_RESET).map(({ b, c }) => [b, c])).toEqual([[1n, 2n]]);
  });

  test('of IPv6 only do not answer IPv4', () => {
    const { results } = run('op v6only listen6:92 sleep:20000 &\nsleep 2000\nop connect:92\nwait');
    expect(results(NR_CONNECT)).toEqual([ECONNREFUSED]);
  });
});

describe('a listener', () => {
  /** Of op, whose bytes nobody takes. */
  const failed = 256;

  test('drops SYNs that it has no room for; they are sent again, until it is there no more', () => {
    const clients = 'op dial:90 sleep:1500000 close &\n'.repeat(22);
    const { of } = run(`op listen:90 sleep:1200000 close &\nsleep 500\n${clients}wait`);
    expect(of(Kind.TCP_CHILD).map(({ b, c }) => [b, c])).toEqual(
      Array.from({ length: 17 }, (_, i) => [BigInt(i), 16n]),
    );
    expect(of(Kind.TCP_RETRANSMIT).filter(({ b }) => b === 2n).length).toBeGreaterThanOrEqual(5);
  });

  test('resets who waited to be accepted when it closes', () => {
    const script = 'op listen:90 sleep:4000 close &\nsleep 1000\nop dial:90 sleep:6000 put:10 close\nwait';
    const { of } = run(script, {}, failed);
    expect(of(Kind.TCP_RESET).map(({ b }) => b)).toContain(1n);
  });

  test('sends SYN and ACK again until the handshake is complete', () => {
    const script = flow('accept:90', 'dial:90').replaceAll(`${BYTES}`, '100');
    const again = (seed: number): number => run(script, { seed, packetLoss: 400 }).of(Kind.TCP_SYNACK_AGAIN).length;
    expect([1, 2, 3, 4, 5, 6, 7, 8].some((seed) => again(seed) > 0)).toBe(true);
  });
});

describe('memory', () => {
  test('is bounded for all of TCP: past that writers wait', () => {
    const writes = 'write:60000 '.repeat(3);
    const pairs = Array.from({ length: 8 }, (_, i) =>
      [`op accept:90${10 + i} sleep:300000 close &`, `op dial:90${10 + i} ${writes}close &`].join('\n'),
    );
    const limits = run(`${pairs.join('\n')}\nwait`, { memoryBytes: 24 << 20 }).of(Kind.SOCK_LIMIT);
    expect(limits.length).toBeGreaterThan(0);
    expect(limits.every(({ c, d }) => c === 0n && d > 0n)).toBe(true);
  });
});
