import { beforeEach, describe, expect, it } from 'vitest';
import { lo32, hi32 } from '../../../src/base/index.js';
import { Flag } from '../../../src/host/sim/cpu/cpu-state.js';
import { Access } from '../../../src/host/sim/cpu/page-walk.js';
import { BareCpu } from './bare-cpu.js';

const P = 1n;
const W = 2n;
const U = 4n;
const PS = 0x80n;
const NX = 1n << 63n;
const PAGE = 0x40_0000n;
const STACK = 0x50_0000n;

const FAULT = { PRESENT: 1, WRITE: 2, USER: 4, FETCH: 16 } as const;

describe('page tables', () => {
  let machine: BareCpu;
  let exceptions: { vector: number; error: number }[];

  beforeEach(() => {
    machine = new BareCpu(1 << 20);
    exceptions = [];
    machine.cpu.onException = (_cpu, vector, error) => exceptions.push({ vector, error });
    machine.map(STACK, machine.allocate(1), P | W | U);
    machine.setRegister(4, STACK + 0x800n);
  });

  /** Runs `code` at PAGE, mapped as `rights`, with rax = `address`. */
  function run(code: readonly number[], address: bigint, cpl: number, rights = P | W | U, count = 1): void {
    const frame = machine.allocate(1);
    machine.map(PAGE, frame, rights);
    machine.physical.write(frame, Uint8Array.from(code));
    machine.setRegister(0, address);
    machine.rip = PAGE;
    machine.cpu.setCpl(cpl);
    machine.cpu.mmu.flush();
    machine.cpu.run(count);
  }

  const LOAD = [0x48, 0x8b, 0x18];
  const STORE = [0x48, 0x89, 0x18];
  const DATA = 0x60_0000n;

  interface Row {
    readonly name: string;
    readonly rights: bigint | null;
    readonly code: readonly number[];
    readonly cpl: number;
    /** Error code of the page fault; null: none. */
    readonly error: number | null;
  }
  const rows: Row[] = [
    { name: 'user reads a user page', rights: P | U, code: LOAD, cpl: 3, error: null },
    { name: 'user reads an absent page', rights: null, code: LOAD, cpl: 3, error: FAULT.USER },
    { name: 'user reads a kernel page', rights: P | W, code: LOAD, cpl: 3, error: FAULT.USER | FAULT.PRESENT },
    { name: 'user writes a user page', rights: P | W | U, code: STORE, cpl: 3, error: null },
    {
      name: 'user writes a read-only page',
      rights: P | U,
      code: STORE,
      cpl: 3,
      error: FAULT.USER | FAULT.PRESENT | FAULT.WRITE,
    },
    { name: 'user writes an absent page', rights: null, code: STORE, cpl: 3, error: FAULT.USER | FAULT.WRITE },
    { name: 'kernel reads a user page', rights: P | U, code: LOAD, cpl: 0, error: null },
    { name: 'kernel writes a read-only page', rights: P, code: STORE, cpl: 0, error: FAULT.PRESENT | FAULT.WRITE },
    { name: 'kernel reads an absent page', rights: null, code: LOAD, cpl: 0, error: 0 },
  ];
  it.each(rows)('$name', ({ rights, code, cpl, error }) => {
    if (rights !== null) machine.map(DATA, machine.allocate(1), rights);
    run(code, DATA + 0x123n, cpl);
    expect(exceptions[0] ?? null).toEqual(error === null ? null : { vector: 14, error });
    if (error === null) return;
    // CR2 has the address, and the instruction has not happened.
    expect(machine.cpu.cr[4]).toBe(Number(DATA + 0x123n));
    expect(machine.rip).toBe(PAGE);
  });

  it('does not execute pages that forbid it, nor kernel pages in user mode', () => {
    run([0x90], 0n, 3, P | U | NX);
    expect(exceptions).toEqual([{ vector: 14, error: FAULT.USER | FAULT.PRESENT | FAULT.FETCH }]);
    machine.cpu.shutdown = null;
    run([0x90], 0n, 3, P);
    expect(exceptions[1]).toEqual({ vector: 14, error: FAULT.USER | FAULT.PRESENT | FAULT.FETCH });
  });

  it('raises #GP for an address that is not canonical', () => {
    run(LOAD, 0x8000_0000_0000n, 0);
    expect(exceptions).toEqual([{ vector: 13, error: 0 }]);
  });

  it('writes nothing of a store whose second page is absent', () => {
    const frame = machine.allocate(1);
    machine.map(DATA, frame, P | W | U);
    machine.setRegister(3, 0x1122_3344_5566_7788n);
    run(STORE, DATA + 0xffcn, 3);
    expect(exceptions).toEqual([{ vector: 14, error: FAULT.USER | FAULT.WRITE }]);
    expect(machine.cpu.cr[4]).toBe(Number(DATA + 0x1000n));
    expect(machine.physical.bytes.subarray(frame + 0xff0, frame + 0x1000).every((byte) => byte === 0)).toBe(true);
  });

  it('maps two megabytes by one entry', () => {
    const big = new BareCpu(8 << 20);
    big.map(0x80_0000n, 0, P);
    // The page directory entry above the 4 KiB page becomes a large page of physical 4 MiB.
    const { physical, cpu } = big;
    let table = cpu.mmu.cr3;
    for (const shift of [39n, 30n])
      table = Number(physical.u64(table + 8 * Number((0x80_0000n >> shift) & 511n)) & ~0xfffn);
    physical.setU64(table + 8 * Number((0x80_0000n >> 21n) & 511n), BigInt(4 << 20) | P | W | PS);
    expect(cpu.mmu.translate(lo32(0x81_2345n), hi32(0n), Access.READ, false)).toBe((4 << 20) + 0x1_2345);
    expect(cpu.mmu.translate(lo32(0x81_2345n), hi32(0n), Access.READ, true)).toBe(-1);
  });

  it('keeps a translation until it is flushed: invlpg sees the new one', () => {
    const frames = [machine.allocate(1), machine.allocate(1)] as const;
    machine.physical.setU64(frames[0], 1n);
    machine.physical.setU64(frames[1], 2n);
    machine.map(DATA, frames[0], P);
    run([...LOAD, ...LOAD, 0x0f, 0x01, 0x38, ...LOAD], DATA, 0);
    expect(machine.register(3)).toBe(1n);
    machine.map(DATA, frames[1], P);
    machine.cpu.run(1);
    expect(machine.register(3)).toBe(1n);
    machine.cpu.run(2);
    expect(machine.register(3)).toBe(2n);
  });

  it('executes what was just written over its own code', () => {
    // mov byte [rip+1], 0x40 ... the nop after it becomes inc of eax through its changed second byte.
    run([0xc6, 0x05, 0x01, 0x00, 0x00, 0x00, 0xc3, 0xff, 0xc0, 0xf4], 5n, 0, P | W, 3);
    expect(machine.register(0)).toBe(5n);
    expect(machine.register(3)).toBe(1n);
  });

  it('stops for good when neither an exception nor #DF can be delivered', () => {
    run(LOAD, 0x1234_5000n, 0);
    expect(machine.cpu.shutdown).toEqual({ vector: 14, error: 0 });
    expect(machine.cpu.run(10)).toBe(0);
  });

  it('traps after one instruction with TF set, with TF still set in the saved flags', () => {
    machine.flags = BigInt(Flag.TF | 2);
    run([0x90, 0x90], 0n, 0, P, 5);
    expect(exceptions).toEqual([{ vector: 1, error: 0 }]);
    expect(machine.rip).toBe(PAGE + 1n);
    expect(machine.flags & BigInt(Flag.TF)).toBe(BigInt(Flag.TF));
  });
});
