import { toJson, formatLog2Histogram, log2Buckets } from '../../src/export/index.js';
import { describe, expect, it } from 'vitest';
import { EventTable } from '../../src/cli/output/event-table.js';
import { formatMapDump, type MapDump } from '../../src/cli/output/map-dump.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const count = (from: number, length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i);

describe('JSON', () => {
  it.each([
    [18_446_744_073_709_551_615n, '18446744073709551615'],
    [{ a: 1n, b: [true, null, 'x"y'] }, '{"a":1,"b":[true,null,"x\\"y"]}'],
    [{ absent: undefined, there: 0 }, '{"there":0}'],
    [bytes(1, 255), '[1,255]'],
    [-1n, '-1'],
  ])('%o is %s', (value, text) => expect(toJson(value)).toBe(text));
});

describe('log2 histograms', () => {
  it('count values in [2^i, 2^(i+1)), slot 0 holding 0 and 1', () => {
    expect(log2Buckets([1, 0, 3, 0])).toEqual([
      { low: 0n, high: 1n, count: 1n },
      { low: 2n, high: 3n, count: 0n },
      { low: 4n, high: 7n, count: 3n },
    ]);
  });

  it("are laid out as bcc's tools lay them out", () => {
    expect(formatLog2Histogram([4, 0, 2], 'usecs')).toEqual([
      '     usecs               : count    distribution',
      '         0 -> 1          : 4        |****************************************|',
      '         2 -> 3          : 0        |                                        |',
      '         4 -> 7          : 2        |********************                    |',
    ]);
  });

  it('widen beyond 32 slots', () => {
    const slots = Array.from({ length: 34 }, (_, i) => (i === 33 ? 1n : 0n));
    expect(formatLog2Histogram(slots, 'nsecs').at(-1)).toBe(
      `          8589934592 -> 17179869183          : 1        |${'*'.repeat(20)}|`,
    );
  });

  it('take counts beyond 2^53 without losing stars', () => {
    expect(formatLog2Histogram([2n ** 63n, 2n ** 62n], 'x').at(-1)).toContain(`|${'*'.repeat(20)} `);
  });

  it('are empty when nothing was counted', () => expect(formatLog2Histogram([0, 0], 'x')).toEqual([]));
});

describe('event tables', () => {
  it('head the first row with the field names and keep the columns', () => {
    const table = new EventTable();
    expect([...table.rows({ ts: 5n, pid: 1, comm: 'sh' }), ...table.rows({ ts: 6n, pid: 12, comm: 'cat' })]).toEqual([
      'TS           PID    COMM',
      '5            1      sh',
      '6            12     cat',
    ]);
  });

  it('show control characters instead of sending them to the terminal', () => {
    const rows = new EventTable().rows({ comm: '\x1b[31mred\n', bytes: ['\u009b'] });
    expect(rows[1]).toBe('\\x1b[31mred\\x0a  ["\\x9b"]');
  });
});

/** What bpftool 7.1 printed for maps with these bytes. */
describe('map dumps look like bpftool', () => {
  const plain = (key: Uint8Array, value: Uint8Array): MapDump => ({
    perCpu: false,
    elements: [{ key, values: [value] }],
  });
  const typed: MapDump = {
    perCpu: false,
    elements: [
      {
        key: bytes(1, 0, 0, 0, 0, 0, 0, 0),
        values: [bytes(5, 0, 0, 0, 0, 0, 0, 0)],
        formatted: { key: { tid: 1, func: 'VFS_READ' }, values: [5n] },
      },
      {
        key: bytes(2, 0, 0, 0, 1, 0, 0, 0),
        values: [bytes(5, 0, 0, 0, 0, 0, 0, 255)],
        formatted: { key: { tid: 2, func: 'VFS_WRITE' }, values: [18_374_686_479_671_623_685n] },
      },
    ],
  };

  it.each([
    [
      'short elements on one line',
      plain(count(1, 8), count(1, 8)),
      'key: 01 02 03 04 05 06 07 08  value: 01 02 03 04 05 06 07 08\nFound 1 element',
    ],
    [
      'longer ones on two',
      plain(bytes(...count(1, 8), 1, 2, 3, 4), bytes(...count(1, 8), ...count(1, 8))),
      'key: 01 02 03 04 05 06 07 08  01 02 03 04\nvalue: 01 02 03 04 05 06 07 08  01 02 03 04 05 06 07 08\nFound 1 element',
    ],
    [
      'long ones below their names',
      plain(count(1, 20), count(1, 17)),
      'key:\n01 02 03 04 05 06 07 08  09 0a 0b 0c 0d 0e 0f 10\n11 12 13 14\nvalue:\n01 02 03 04 05 06 07 08  09 0a 0b 0c 0d 0e 0f 10\n11\nFound 1 element',
    ],
    ['nothing', { perCpu: false, elements: [] }, 'Found 0 elements'],
    [
      'a value per CPU',
      { perCpu: true, elements: [{ key: bytes(1, 0, 0, 0), values: [bytes(0, 0), bytes(7, 0)] }] },
      'key:\n01 00 00 00\nvalue (CPU 00): 00 00\nvalue (CPU 01): 07 00\nFound 1 element',
    ],
    [
      'types instead of bytes',
      typed,
      '[{\n        "key": {\n            "tid": 1,\n            "func": "VFS_READ"\n        },\n        "value": 5\n    },{\n        "key": {\n            "tid": 2,\n            "func": "VFS_WRITE"\n        },\n        "value": 18374686479671623685\n    }\n]',
    ],
  ])('%s', (_, dump, text) => expect(formatMapDump(dump, 'text').join('\n')).toBe(text));

  it('-j gives bytes and meaning', () => {
    expect(formatMapDump({ ...typed, elements: typed.elements.slice(0, 1) }, 'json')).toEqual([
      '[{"key":["0x01","0x00","0x00","0x00","0x00","0x00","0x00","0x00"],"value":["0x05","0x00","0x00","0x00","0x00","0x00","0x00","0x00"],"formatted":{"key":{"tid":1,"func":"VFS_READ"},"value":5}}]',
    ]);
  });

  it('-p lays the same out', () => {
    expect(
      formatMapDump({ ...typed, elements: typed.elements.slice(0, 1) }, 'pretty')
        .slice(0, 6)
        .join('\n'),
    ).toBe(
      '[{\n        "key": ["0x01","0x00","0x00","0x00","0x00","0x00","0x00","0x00"\n        ],\n        "value": ["0x05","0x00","0x00","0x00","0x00","0x00","0x00","0x00"\n        ],\n        "formatted": {',
    );
  });
});
