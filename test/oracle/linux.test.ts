import { expect, it } from 'vitest';
import { BpfMapType, BpfProgType, Errno } from '../../src/base/index.js';
import { describeWithLinux } from './linux.js';

const key = (n: number): Uint8Array => Uint8Array.of(n, 0, 0, 0);
const insn = (code: number, registers: number, off: number, imm: number): number[] => [
  code,
  registers,
  off & 0xff,
  (off >> 8) & 0xff,
  imm & 0xff,
  (imm >> 8) & 0xff,
  (imm >> 16) & 0xff,
  imm >>> 24,
];

describeWithLinux('the Linux oracle', (linux) => {
  it('creates, updates, reads and walks a map', async () => {
    const map = linux.slot();
    const created = linux.mapCreate(map, {
      type: BpfMapType.BPF_MAP_TYPE_HASH,
      keySize: 4,
      valueSize: 2,
      maxEntries: 4,
    });
    const missing = linux.mapLookup(map, key(7), 2);
    const updated = linux.mapUpdate(map, key(7), Uint8Array.of(1, 2));
    const found = linux.mapLookup(map, key(7), 2);
    const first = linux.mapNextKey(map, null, 4);
    const end = linux.mapNextKey(map, key(7), 4);
    const taken = linux.mapLookupAndDelete(map, key(7), 2);
    const deleted = linux.mapDelete(map, key(7));
    expect(await created).toBe(0);
    expect(await missing).toBe(-Errno.ENOENT);
    expect(await updated).toBe(0);
    expect(await found).toEqual(Uint8Array.of(1, 2));
    expect(await first).toEqual(key(7));
    expect(await end).toBe(-Errno.ENOENT);
    expect(await taken).toEqual(Uint8Array.of(1, 2));
    expect(await deleted).toBe(-Errno.ENOENT);
    await linux.close(map);
  });

  it('loads and runs a program that writes a map named by its slot', async () => {
    const map = linux.slot();
    const program = linux.slot();
    const insns = Uint8Array.from([
      ...insn(0x18, 0x21, 0, map), // r1 = map value
      ...insn(0, 0, 0, 0),
      ...insn(0x7a, 0x01, 0, 0x1234), // *(u64 *)(r1 + 0) = 0x1234
      ...insn(0xb7, 0x00, 0, 42), // r0 = 42
      ...insn(0x95, 0, 0, 0),
    ]);
    void linux.mapCreate(map, { type: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8, maxEntries: 1 });
    const load = await linux.progLoad(program, { type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER, insns, logLevel: 2 });
    expect(load.result).toBe(0);
    expect(load.log).toContain('r0 = 42');
    const run = await linux.testRun(program, { dataIn: new Uint8Array(14) });
    expect(run).toMatchObject({ result: 0, retval: 42 });
    expect(await linux.mapLookup(map, key(0), 8)).toEqual(Uint8Array.of(0x34, 0x12, 0, 0, 0, 0, 0, 0));
    await linux.close(map, program);
  });

  it('hands back the verifier log and errno of a refused program', async () => {
    const program = linux.slot();
    const load = await linux.progLoad(program, {
      type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
      insns: Uint8Array.from(insn(0x95, 0, 0, 0)),
      logLevel: 1,
    });
    expect(load.result).toBe(-Errno.EACCES);
    expect(load.log).toContain('R0 !read_ok');
    await linux.close(program);
  });

  it('shows the pages of a ring buffer', async () => {
    const ring = linux.slot();
    await linux.mapCreate(ring, { type: BpfMapType.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 });
    const pages = await linux.ringbufRead(ring, 4096);
    expect(pages).toMatchObject({ result: 0, consumer: 0n, producer: 0n });
    expect(pages.data).toHaveLength(4096);
    await linux.close(ring);
  });
});
