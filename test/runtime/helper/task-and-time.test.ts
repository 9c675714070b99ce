import { describe, expect, it } from 'vitest';
import { HelperBench } from './helper-bench.js';
import { BpfMapType } from '../../../src/base/index.js';
import { CgroupArrayMap } from '../../../src/runtime/map/index.js';
import { instance } from '../../support/instance.js';
import { makeTask } from '../../support/test-host.js';

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.slice());
}

describe('the current task', () => {
  it('is told as in the kernel: tgid above pid, gid above uid, its address', () => {
    const bench = new HelperBench();
    bench.host.current[0] = { ...makeTask(0), pid: 0x1234, tgid: 0x4321 };
    bench.host.tasks.uidGid = (out) => out.set([1000, -2]);
    expect(bench.call('get_current_pid_tgid')).toBe(0x4321_0000_1234n);
    expect(bench.call('get_current_uid_gid')).toBe(BigInt.asIntN(64, 0xffff_fffe_0000_03e8n));
    expect(BigInt.asUintN(64, bench.call('get_current_task'))).toBe(bench.host.task.address);
    expect(BigInt.asUintN(64, bench.call('get_current_task_btf'))).toBe(bench.host.task.address);
    expect(bench.call('get_smp_processor_id')).toBe(0n);
  });

  it.each([
    ['bash', 16, 'bash\0\0\0\0\0\0\0\0\0\0\0\0'],
    ['bash', 8, 'bash\0\0\0\0'],
    ['bash', 4, 'bas\0'],
    ['bash', 1, '\0'],
    ['sixteen_letters_', 16, 'sixteen_letters\0'],
    ['bash', 20, 'bash\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'],
  ])('get_current_comm of %j in %d bytes', (comm, size, expected) => {
    const bench = new HelperBench();
    bench.host.current[0] = makeTask(1, comm);
    bench.bytes(24).fill(0xee);
    expect(bench.call('get_current_comm', bench.at(), BigInt(size))).toBe(0n);
    expect(textOf(bench.bytes(size))).toBe(expected);
    expect(bench.bytes(1, size)[0]).toBe(0xee);
  });

  it('get_current_comm is -EINVAL and zeroes where there is no name to be had', () => {
    const bench = new HelperBench();
    bench.host.tasks.comm = () => false;
    bench.bytes(8).fill(0xee);
    expect(bench.call('get_current_comm', bench.at(), 8n)).toBe(-22n);
    expect([...bench.bytes(8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('current_task_under_cgroup', () => {
  const bench = new HelperBench();
  const map = bench.map({ type: BpfMapType.BPF_MAP_TYPE_CGROUP_ARRAY, keySize: 4, valueSize: 4, maxEntries: 3 });
  const cgroups = instance(map, CgroupArrayMap);
  cgroups.setCgroup(0, { holdsCurrent: () => true });
  cgroups.setCgroup(1, { holdsCurrent: () => false });

  it.each([
    ['a cgroup that the task is in', 0n, 1n],
    ['another', 1n, 0n],
    ['an element without one', 2n, -11n],
    ['an index past the end', 3n, -7n],
  ])('%s', (_, index, expected) => {
    expect(bench.call('current_task_under_cgroup', bench.pointer(map), index)).toBe(expected);
  });

  it('takes no cgroup past the end', () => {
    expect(cgroups.setCgroup(3, { holdsCurrent: () => true })).toBe(-7);
  });
});

describe('the event', () => {
  it('gives the attach cookie and the probed address in 64 bits', () => {
    const bench = new HelperBench();
    Object.assign(bench.run, { cookieLo: 0x5566_7788, cookieHi: 0x1122_3344, funcIpLo: 0x1000, funcIpHi: -1 });
    expect(bench.call('get_attach_cookie')).toBe(0x1122_3344_5566_7788n);
    expect(BigInt.asUintN(64, bench.call('get_func_ip'))).toBe(0xffff_ffff_0000_1000n);
  });
});

describe('clocks', () => {
  it.each([
    ['ktime_get_ns', 0x1_2345_6789n],
    ['ktime_get_boot_ns', 0x1_2345_678en],
    ['ktime_get_tai_ns', 0x1_2345_6789n + 1_700_000_037_000_000_000n],
    ['jiffies64', 0x1_2345_6789n / 1_000_000n],
  ])('%s', (name, expected) => {
    const bench = new HelperBench();
    bench.host.now = 0x1_2345_6789n;
    expect(bench.call(name)).toBe(expected);
  });
});

describe('get_prandom_u32', () => {
  it('gives unsigned 32-bit numbers, the same ones in every runtime', () => {
    const draw = (bench: HelperBench): bigint[] => Array.from({ length: 50 }, () => bench.call('get_prandom_u32'));
    const first = draw(new HelperBench()).map((value) => BigInt.asUintN(64, value) & 0xffff_ffff_ffff_ffffn);
    expect(draw(new HelperBench()).map((value) => BigInt.asUintN(64, value))).toEqual(first);
    expect(first.every((value) => value < 1n << 32n)).toBe(true);
    expect(new Set(first).size).toBe(50);
  });
});
