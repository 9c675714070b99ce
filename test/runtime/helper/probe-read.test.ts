import { beforeEach, describe, expect, it } from 'vitest';
import { HelperBench, KERNEL_PAGE, USER_PAGE } from './helper-bench.js';

const EFAULT = -14n;
const ERANGE = -34n;

let bench: HelperBench;

beforeEach(() => {
  bench = new HelperBench();
  bench.bytes(64).fill(0xee);
  for (let i = 0; i < 4096; i++) bench.kernelPage[i] = bench.userPage[i] = (i & 0x7f) + 1;
});

describe('reads of a fixed size', () => {
  it.each([
    ['probe_read_kernel', KERNEL_PAGE + 16n],
    ['probe_read_user', USER_PAGE + 16n],
    ['probe_read', KERNEL_PAGE + 16n],
    ['probe_read', USER_PAGE + 16n],
  ])('%s copies from 0x%x', (name, address) => {
    expect(bench.call(name, bench.at(), 4n, address)).toBe(0n);
    expect([...bench.bytes(5)]).toEqual([17, 18, 19, 20, 0xee]);
  });

  it.each([
    ['probe_read_kernel', KERNEL_PAGE - 8n, EFAULT],
    ['probe_read_kernel', KERNEL_PAGE + 4090n, EFAULT],
    ['probe_read_kernel', 0n, ERANGE],
    ['probe_read_kernel', USER_PAGE, ERANGE],
    ['probe_read_kernel', 0xdead_0000_0000_0000n, ERANGE],
    ['probe_read_kernel', 0xffff_ffff_ff60_0000n, ERANGE],
    ['probe_read_user', 0n, EFAULT],
    ['probe_read_user', KERNEL_PAGE, EFAULT],
    ['probe_read_user', 0xdead_0000_0000_0000n, EFAULT],
    ['probe_read', 0n, EFAULT],
    ['probe_read', 0xffff_ffff_ffff_0000n, EFAULT],
  ])('%s of 0x%x zeroes the destination: %d', (name, address, errno) => {
    expect(bench.call(name, bench.at(), 8n, address)).toBe(errno);
    expect([...bench.bytes(9)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0xee]);
  });

  it('an empty read looks at the address only where the kernel does', () => {
    expect(bench.call('probe_read_kernel', bench.at(), 0n, 0n)).toBe(ERANGE);
    expect(bench.call('probe_read_kernel', bench.at(), 0n, KERNEL_PAGE - 8n)).toBe(0n);
    expect(bench.call('probe_read_user', bench.at(), 0n, 0n)).toBe(0n);
    expect(bench.call('probe_read_user', bench.at(), 0n, KERNEL_PAGE)).toBe(EFAULT);
    expect(bench.call('probe_read_user', bench.at(), 0n, 0xdead_0000_0000_0000n)).toBe(EFAULT);
    expect([...bench.bytes(2)]).toEqual([0xee, 0xee]);
  });

  it('pointers of the program are kernel addresses', () => {
    bench.bytes(4, 32).set([1, 2, 3, 4]);
    expect(bench.call('probe_read_kernel', bench.at(), 4n, bench.at(32))).toBe(0n);
    expect([...bench.bytes(4)]).toEqual([1, 2, 3, 4]);
    expect(bench.call('probe_read_user', bench.at(), 4n, bench.at(32))).toBe(EFAULT);
    expect(bench.call('probe_read_kernel', bench.at(), 4n, bench.at() & ~0xffff_ffffn)).toBe(EFAULT);
  });
});

describe('strings', () => {
  beforeEach(() => {
    bench.kernelPage.set(new TextEncoder().encode('openat\0'), 100);
    bench.userPage.set(new TextEncoder().encode('/etc/passwd\0'), 4096 - 12);
  });

  it.each([
    ['the whole string with its NUL', 'probe_read_kernel_str', KERNEL_PAGE + 100n, 16, 'openat\0', 7],
    ['as much as fits, terminated', 'probe_read_kernel_str', KERNEL_PAGE + 100n, 4, 'ope\0', 4],
    ['nothing but a NUL in one byte', 'probe_read_kernel_str', KERNEL_PAGE + 100n, 1, '\0', 1],
    ['a string that just fits', 'probe_read_kernel_str', KERNEL_PAGE + 100n, 7, 'openat\0', 7],
    ['up to the end of the last page there is', 'probe_read_user_str', USER_PAGE + 4084n, 64, '/etc/passwd\0', 12],
    ['a user string by the generic helper', 'probe_read_str', USER_PAGE + 4084n, 64, '/etc/passwd\0', 12],
    ['a kernel string by the generic helper', 'probe_read_str', KERNEL_PAGE + 100n, 16, 'openat\0', 7],
  ])('%s', (_what, name, address, size, text, length) => {
    expect(bench.call(name, bench.at(), BigInt(size), address)).toBe(BigInt(length));
    expect(new TextDecoder().decode(bench.bytes(length).slice())).toBe(text);
    expect(bench.bytes(1, length)[0], 'the byte behind it').toBe(0xee);
  });

  it('a string that runs into an absent page is a fault and zeroes the destination', () => {
    bench.userPage.fill(0x41, 4000);
    expect(bench.call('probe_read_user_str', bench.at(), 200n, USER_PAGE + 4000n)).toBe(EFAULT);
    expect(bench.bytes(200).every((byte) => byte === 0)).toBe(true);
  });

  it('cuts a string that is as long as the buffer before it reaches the absent page', () => {
    bench.userPage.fill(0x41, 4000);
    expect(bench.call('probe_read_user_str', bench.at(), 96n, USER_PAGE + 4000n)).toBe(96n);
    expect(bench.bytes(1, 95)[0]).toBe(0);
  });

  it.each([
    ['probe_read_kernel_str', 0n, ERANGE],
    ['probe_read_user_str', 0n, EFAULT],
    ['probe_read_kernel_str', KERNEL_PAGE - 1n, EFAULT],
  ])('%s of 0x%x: %d', (name, address, errno) => {
    expect(bench.call(name, bench.at(), 8n, address)).toBe(errno);
    expect(bench.bytes(8).every((byte) => byte === 0)).toBe(true);
  });

  it('size 0 is nothing read', () => {
    expect(bench.call('probe_read_kernel_str', bench.at(), 0n, 0n)).toBe(0n);
    expect(bench.bytes(1)[0]).toBe(0xee);
  });
});

describe('probe_write_user', () => {
  it('writes what is there and faults elsewhere', () => {
    bench.bytes(3).set([7, 8, 9]);
    expect(bench.call('probe_write_user', USER_PAGE + 8n, bench.at(), 3n)).toBe(0n);
    expect([...bench.userPage.subarray(8, 11)]).toEqual([7, 8, 9]);
    expect(bench.call('probe_write_user', USER_PAGE + 4095n, bench.at(), 3n)).toBe(EFAULT);
    expect(bench.call('probe_write_user', KERNEL_PAGE, bench.at(), 3n)).toBe(EFAULT);
  });
});
