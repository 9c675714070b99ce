import { beforeEach, describe, expect, it } from 'vitest';
import { BpfMapType, lo32, u64 } from '../../../src/base/index.js';
import type { BpfMap } from '../../../src/runtime/index.js';
import { HelperBench, KERNEL_PAGE, USER_PAGE } from './helper-bench.js';

let bench: HelperBench;

beforeEach(() => {
  bench = new HelperBench({ functions: { vfs_open: [0xc3], schedule: [0xc3] } });
});

describe('bpf_loop', () => {
  it('calls back with the round and the context until it gets a 1', () => {
    const seen: bigint[][] = [];
    bench.run.callback = (pc, r1Lo, r1Hi, r2Lo, r2Hi) => {
      seen.push([BigInt(pc), u64(r1Lo, r1Hi), u64(r2Lo, r2Hi)]);
      return r1Lo === 2 ? 1 : 0;
    };
    expect(bench.call('loop', 10n, 77n, bench.at(), 0n)).toBe(3n);
    expect(seen).toEqual([0n, 1n, 2n].map((round) => [77n, round, bench.at()]));
    expect(bench.call('loop', 2n, 77n, 0n, 0n), 'all rounds').toBe(2n);
    expect(bench.call('loop', 0n, 77n, 0n, 0n)).toBe(0n);
  });

  it.each([
    ['flags', 1n, 1n, -22n],
    ['more than 8388608 rounds', 8388609n, 0n, -7n],
    ['rounds as a negative number', -1n, 0n, -7n],
  ])('%s', (_what, rounds, flags, errno) => {
    bench.run.callback = () => 0;
    expect(bench.call('loop', rounds, 0n, 0n, flags)).toBe(errno);
  });
});

describe('bpf_for_each_map_elem', () => {
  let map: BpfMap;
  let seen: [key: number, value: number][];

  beforeEach(() => {
    seen = [];
    bench.run.callback = (_pc, r1Lo, _r1Hi, keyLo, _keyHi, value) => {
      expect(r1Lo).toBe(lo32(bench.pointer(map)));
      const { u32 } = bench.runtime.memory;
      seen.push([u32[keyLo >>> 2], u32[value >>> 2]]);
      return seen.length === 3 ? 1 : 0;
    };
  });

  function key(n: number): Uint8Array {
    return Uint8Array.of(n, 0, 0, 0);
  }

  it('visits an array in order and stops where the callback says so', () => {
    map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY });
    for (let i = 0; i < 4; i++) map.sysUpdate(key(i), Uint8Array.of(i * 10, 0, 0, 0, 0, 0, 0, 0));
    expect(bench.call('for_each_map_elem', bench.pointer(map), 5n, 0n, 0n)).toBe(3n);
    expect(seen).toEqual([
      [0, 0],
      [1, 10],
      [2, 20],
    ]);
  });

  it('visits the elements of a hash map, of this CPU where there is one value for each', () => {
    map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_PERCPU_HASH });
    map.sysUpdate(key(7), Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]));
    bench.run.cpu = 1;
    expect(bench.call('for_each_map_elem', bench.pointer(map), 5n, 0n, 0n)).toBe(1n);
    expect(seen).toEqual([[7, 2]]);
  });

  it('a callback may delete what it visits, and what comes next', () => {
    map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_HASH, maxEntries: 16 });
    for (let i = 0; i < 16; i++) map.sysUpdate(key(i), new Uint8Array(8));
    let visits = 0;
    bench.run.callback = (_pc, _r1, _r1Hi, at) => {
      visits++;
      const here = bench.runtime.memory.u8.slice(at, at + 4);
      map.sysDelete(here);
      const next = map.sysNextKey(here);
      if (typeof next !== 'number') map.sysDelete(next);
      return 0;
    };
    bench.call('for_each_map_elem', bench.pointer(map), 5n, 0n, 0n);
    expect(visits).toBeLessThanOrEqual(16);
    expect(map.sysNextKey(null)).toBe(-2);
  });

  it.each([
    ['flags', BpfMapType.BPF_MAP_TYPE_ARRAY, 8, 1n],
    ['a map type without elements to visit', BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 0n],
  ])('%s: -EINVAL', (_what, type, valueSize, flags) => {
    map = bench.map({ type, valueSize });
    expect(bench.call('for_each_map_elem', bench.pointer(map), 5n, 0n, flags)).toBe(-22n);
  });
});

describe('bpf_trace_printk', () => {
  function print(format: string, ...args: bigint[]): bigint {
    const size = BigInt(new TextEncoder().encode(format).length + 1);
    return bench.call('trace_printk', bench.string(format), size, ...args);
  }

  it.each<[format: string, args: bigint[], line: string]>([
    ['hello', [], 'hello'],
    ['pid %d: %u%%', [-1n, 0xffff_ffffn], 'pid -1: 4294967295%'],
    ['%lld %llu %llx', [-(1n << 63n), (1n << 64n) - 1n, 0xabcn], '-9223372036854775808 18446744073709551615 abc'],
    ['[%5d][%-5d][%05d]', [42n, 42n, -42n], '[   42][42   ][-0042]'],
    ['[%+d][% d][%X]', [1n, 1n, 0xabcn], '[+1][ 1][ABC]'],
    ['%c%c', [75n, 83n], 'KS'],
    ['%px', [0xffff_ffff_8100_0000n], 'ffffffff81000000'],
    ['%p', [0x1234n], '0000000000001234'],
    [
      '%ps|%pS|%pB',
      [0xffff_ffff_8100_0000n, 0xffff_ffff_8100_0003n, 0xffff_ffff_8100_0010n],
      'vfs_open|vfs_open+0x3/0x10|vfs_open+0x10/0x10',
    ],
    ['%ps', [0x1234n], '0x1234'],
  ])('%j', (format, args, line) => {
    expect(print(format, ...args)).toBe(BigInt(line.length));
    expect(bench.lines).toEqual([line]);
  });

  it('reads strings from either half of the memory; what faults prints nothing', () => {
    bench.kernelPage.set(new TextEncoder().encode('kernel\0'));
    bench.userPage.set(new TextEncoder().encode('user\0'));
    print('%s %s %s', KERNEL_PAGE, USER_PAGE, 0n);
    print('%pks %pus %pus.', KERNEL_PAGE, USER_PAGE, KERNEL_PAGE);
    expect(bench.lines).toEqual(['kernel user ', 'kernel user .']);
  });

  it('prints addresses of the network', () => {
    bench.kernelPage.set([192, 168, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    print('%pI4 %pi4 %pI6', KERNEL_PAGE, KERNEL_PAGE, KERNEL_PAGE);
    expect(bench.lines).toEqual(['192.168.0.1 192.168.000.001 c0a8:0001:0000:0000:0000:0000:0000:0009']);
  });

  it.each([
    ['a fourth conversion', '%d %d %d %d'],
    ['an unknown conversion', '%o'],
    ['a conversion that is cut off', 'x %l'],
    ['a string conversion with letters behind it', '%sx'],
    ['a control character', 'a\u0001'],
    ['a precision', '%.2d'],
  ])('%s: -EINVAL, and nothing is printed', (_what, format) => {
    expect(print(format)).toBe(-22n);
    expect(bench.lines).toEqual([]);
  });

  it('a format without its NUL inside the size: -EINVAL', () => {
    expect(bench.call('trace_printk', bench.string('abc'), 3n)).toBe(-22n);
  });

  it('counts the whole length of a line and prints its first 1023 bytes', () => {
    expect(print('%2000d', 5n)).toBe(2000n);
    expect(bench.lines[0]).toHaveLength(1023);
  });
});

describe('bpf_trace_vprintk', () => {
  it('takes its arguments from an array of at most twelve', () => {
    new BigUint64Array(bench.runtime.memory.u8.buffer, Number(bench.at(256) & 0xffff_ffffn), 4).set([1n, 2n, 3n, 4n]);
    const format = bench.string('%d %d %d %d');
    expect(bench.call('trace_vprintk', format, 12n, bench.at(256), 32n)).toBe(7n);
    expect(bench.lines).toEqual(['1 2 3 4']);
    expect(bench.call('trace_vprintk', format, 12n, bench.at(256), 24n), 'too few').toBe(-22n);
    expect(bench.call('trace_vprintk', format, 12n, bench.at(256), 33n), 'no multiple of 8').toBe(-22n);
    expect(bench.call('trace_vprintk', format, 12n, bench.at(256), 104n), 'thirteen').toBe(-22n);
    expect(bench.call('trace_vprintk', format, 12n, 0n, 32n), 'no array').toBe(-22n);
  });
});

describe('bpf_snprintf', () => {
  it('cuts and terminates the text and tells the size it needs', () => {
    const format = bench.string('x=%d', 512);
    new BigUint64Array(bench.runtime.memory.u8.buffer, Number(bench.at(256) & 0xffff_ffffn), 1).set([12345n]);
    bench.bytes(8).fill(0xee);
    expect(bench.call('snprintf', bench.at(), 4n, format, bench.at(256), 8n)).toBe(8n);
    expect([...bench.bytes(5)]).toEqual([0x78, 0x3d, 0x31, 0, 0xee]);
    expect(bench.call('snprintf', 0n, 0n, format, bench.at(256), 8n)).toBe(8n);
  });
});

describe('bpf_strncmp', () => {
  it.each([
    ['open', 5, 'open', 0n],
    ['open', 5, 'opem', 1n],
    ['open', 5, 'opeo', -1n],
    ['open', 3, 'opex', 0n],
    ['open', 5, 'openat', -1n],
    ['openat', 7, 'open', 1n],
    ['', 1, '', 0n],
  ])('%j over %d bytes with %j', (first, size, second, result) => {
    const a = bench.string(first);
    expect(bench.call('strncmp', a, BigInt(size), bench.string(second, 64))).toBe(result);
  });
});

describe('map helpers', () => {
  it('work on the value of the CPU that runs, or of the one asked for', () => {
    const map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY });
    const pointer = bench.pointer(map);
    bench.run.cpu = 1;
    bench.bytes(16).fill(0);
    bench.bytes(8, 8).fill(9);
    expect(bench.call('map_update_elem', pointer, bench.at(), bench.at(8), 0n)).toBe(0n);
    const mine = bench.call('map_lookup_elem', pointer, bench.at());
    expect(bench.call('map_lookup_percpu_elem', pointer, bench.at(), 1n)).toBe(mine);
    expect(bench.call('map_lookup_percpu_elem', pointer, bench.at(), 0n)).toBe(mine - 8n);
    expect(bench.call('map_lookup_percpu_elem', pointer, bench.at(), 2n)).toBe(0n);
    expect(map.sysLookup(new Uint8Array(4))).toEqual(Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9]));
  });

  it('a map that programs may only read is not changed', () => {
    const pointer = bench.pointer(bench.map({ type: BpfMapType.BPF_MAP_TYPE_HASH, flags: 0x80 }));
    expect(bench.call('map_update_elem', pointer, bench.at(), bench.at(8), 0n)).toBe(-13n);
    expect(bench.call('map_delete_elem', pointer, bench.at())).toBe(-13n);
    expect(bench.call('map_lookup_elem', pointer, bench.at())).toBe(0n);
  });

  it.each([
    ['perf_event_array', BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY],
    ['prog_array', BpfMapType.BPF_MAP_TYPE_PROG_ARRAY],
  ])('a %s has no elements for programs', (_name, type) => {
    const pointer = bench.pointer(bench.map({ type, valueSize: 4 }));
    expect(bench.call('map_lookup_elem', pointer, bench.at())).toBe(0n);
    expect(bench.call('map_update_elem', pointer, bench.at(), bench.at(8), 0n)).toBe(-22n);
    expect(bench.call('map_delete_elem', pointer, bench.at())).toBe(-22n);
  });

  it('an update flag beyond 32 bits is -EINVAL', () => {
    const pointer = bench.pointer(bench.map({ type: BpfMapType.BPF_MAP_TYPE_HASH }));
    expect(bench.call('map_update_elem', pointer, bench.at(), bench.at(8), 1n << 32n)).toBe(-22n);
    expect(bench.call('map_delete_elem', pointer, bench.at())).toBe(-2n);
  });
});
