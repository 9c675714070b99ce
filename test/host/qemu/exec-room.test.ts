import { describe, expect, it } from 'vitest';
import { hi32, lo32 } from '../../../src/base/index.js';
import { GuestMemory, MappedRam, X86_64Tables } from '../../../src/host/guest/index.js';
import { ExecAllocator, mapExecRoom } from '../../../src/host/qemu/exec-room.js';
import { CpuRegisters } from '../../../src/host/qemu/rsp/cpu-registers.js';
import { RspClient } from '../../../src/host/qemu/index.js';
import { arm64Traps } from '../../../src/host/qemu/traps/arm64-traps.js';
import { riscv64Traps } from '../../../src/host/qemu/traps/riscv64-traps.js';
import type { TrapArch } from '../../../src/host/qemu/traps/trap-arch.js';
import { x86_64Traps } from '../../../src/host/qemu/traps/x86-64-traps.js';
import { Arm64Tables, PageAccess, Riscv64Tables } from '../../../src/host/guest/index.js';
import { ScriptedStub } from './scripted-stub.js';

const MIB = 1 << 20;

interface Case {
  readonly traps: TrapArch;
  readonly text: bigint;
  /** Physical start of RAM. */
  readonly ram: number;
  /** An entry that leads to the table at a physical address. */
  table(address: number): bigint;
  /** Values of registers that say how many levels there are. */
  readonly registers: Readonly<Record<string, bigint>>;
  readonly expected: bigint;
}

const CASES: readonly (readonly [string, Case])[] = [
  [
    'x86_64',
    {
      traps: x86_64Traps,
      text: 0xffff_ffff_8100_0000n,
      ram: 0,
      table: (address) => BigInt(address) | 0x67n,
      registers: { cr4: 0x6b0n, cr3: 0x1000n },
      expected: 0xffff_ffff_bfc0_0000n,
    },
  ],
  [
    'arm64',
    {
      traps: arm64Traps,
      text: 0xffff_8000_0801_0000n,
      ram: 0x4000_0000,
      table: (address) => BigInt(address) | 3n,
      registers: { TCR_EL1: 16n << 16n, TTBR1_EL1: 0n },
      expected: 0xffff_8000_07c0_0000n,
    },
  ],
  [
    'riscv64',
    {
      traps: riscv64Traps,
      text: 0xffff_ffff_8000_2000n,
      ram: 0x8000_0000,
      table: (address) => (BigInt(address) >> 2n) | 1n,
      registers: { satp: 8n << 60n },
      expected: 0xffff_ffff_bfc0_0000n,
    },
  ],
];

/** A machine whose kernel has tables down to those of large pages for `text`, the best place for a room taken. */
function machine({ traps, text, ram: start, table, registers, expected }: Case): {
  memory: GuestMemory;
  cpu: CpuRegisters;
} {
  const ram = new MappedRam([{ start, bytes: new Uint8Array(16 * MIB) }]);
  const names = Object.keys(registers);
  const stub = new ScriptedStub((request) => {
    if (request === 'g') return names.map((name) => littleEndian(registers[name])).join('');
    return 'OK';
  });
  const layout = new Map(names.map((name, number) => [name, { name, bits: 64, number, offset: 8 * number }]));
  const cpu = new CpuRegisters(new RspClient(stub), layout);
  cpu.load('01');
  const root = start + MIB;
  const shifts = traps.room?.upperShifts(cpu) ?? [];
  shifts.forEach((shift, level) => {
    const at = root + level * 4096 + Number((text >> BigInt(shift)) & 511n) * 8;
    write64(ram, at, table(root + (level + 1) * 4096));
  });
  // Somebody else has the best place.
  const best = expected + 0x20_0000n;
  write64(ram, root + shifts.length * 4096 + Number((best >> 21n) & 511n) * 8, 0xdead_f000n);
  const tables = tablesOf(traps, ram);
  return { memory: new GuestMemory(ram, tables, { kernel: () => root, user: () => -1 }), cpu };
}

function tablesOf({ name }: TrapArch, ram: MappedRam): X86_64Tables | Arm64Tables | Riscv64Tables {
  if (name === 'x86_64') return new X86_64Tables(ram);
  return name === 'arm64' ? new Arm64Tables(ram, 48) : new Riscv64Tables(ram, 3);
}

function littleEndian(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}

function write64(ram: MappedRam, at: number, value: bigint): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  ram.write(at, bytes, 0, 8);
}

describe.each(CASES)('room for probes on %s', (_name, given) => {
  const room = { address: given.ram + 7 * MIB, size: 6 * MIB };

  it('is a large page of reserved memory near the text, at the first free place', () => {
    const { memory, cpu } = machine(given);
    const mapped = mapExecRoom(given.traps.room as never, cpu, memory, room, given.text);
    expect(mapped).toEqual({ address: given.expected, size: 2 * MIB });
    for (const offset of [0n, 0x1f_fff8n]) {
      const at = mapped.address + offset;
      const physical = given.ram + 8 * MIB + Number(offset);
      expect(memory.tables.translate(memory.roots.kernel(), lo32(at), hi32(at), PageAccess.write)).toBe(physical);
    }
  });

  it('is found again by whoever comes later', () => {
    const { memory, cpu } = machine(given);
    const map = (): unknown => mapExecRoom(given.traps.room as never, cpu, memory, room, given.text);
    expect(map()).toEqual(map());
  });

  it.each([
    ['too small', { address: given.ram + 7 * MIB, size: 2 * MIB }, /ENOMEM; it holds no aligned 2 MiB/],
    ['nothing', { address: given.ram, size: 0 }, /ENOMEM; it holds no aligned 2 MiB/],
  ])('refuses reserved memory that is %s', (_what, reserved, message) => {
    const { memory, cpu } = machine(given);
    expect(() => mapExecRoom(given.traps.room as never, cpu, memory, reserved, given.text)).toThrow(message);
  });
});

const [shared, own] = [true, false].map((isShared) =>
  CASES.filter(([, { traps }]) => (traps.room?.table !== undefined) === isShared),
);

describe.each(shared)('room where no table is, which all programs will share: %s', (_name, given) => {
  // Two gigabytes on; what is below belongs to a gigabyte without a table.
  const text = given.text - (given.text % (1n << 30n)) + (2n << 30n) + 0x1_0000n;
  const room = { address: given.ram + 7 * MIB, size: 6 * MIB };

  it('gets a table of its own', () => {
    const { memory, cpu } = machine(given);
    const mapped = mapExecRoom(given.traps.room as never, cpu, memory, room, text);
    expect(mapped).toEqual({ address: text - 0x21_0000n, size: 2 * MIB });
    const last = mapped.address + 0x1f_fff8n;
    const physical = given.ram + 10 * MIB - 8;
    expect(memory.tables.translate(memory.roots.kernel(), lo32(last), hi32(last), PageAccess.write)).toBe(physical);
    expect(mapExecRoom(given.traps.room as never, cpu, memory, room, text), 'found again').toEqual(mapped);
  });

  it('is refused where there is no memory for one', () => {
    const { memory, cpu } = machine(given);
    const small = { address: given.ram + 8 * MIB, size: 2 * MIB };
    expect(() => mapExecRoom(given.traps.room as never, cpu, memory, small, text)).toThrow(
      /ENOMEM; no address is free near its text/,
    );
  });
});

describe.each(own)('room where no table is, which each program would have for itself: %s', (_name, given) => {
  it('is refused, without a change', () => {
    const { memory, cpu } = machine(given);
    const elsewhere = given.text - (1n << 31n);
    const room = { address: given.ram + 7 * MIB, size: 6 * MIB };
    expect(() => mapExecRoom(given.traps.room as never, cpu, memory, room, elsewhere)).toThrow(
      /ENOMEM; no address is free near its text/,
    );
  });
});

describe('ExecAllocator', () => {
  it('gives out pages from page boundaries and pieces from 16-byte boundaries, and takes them back', () => {
    const exec = new ExecAllocator({ address: 0x1000n, size: 0x3000 });
    expect(exec.allocate(20)).toBe(0x1000n);
    expect(exec.allocate(4096)).toBe(0x2000n);
    expect(exec.allocate(1)).toBe(0x1020n);
    expect(exec.allocate(8192)).toBeNull();
    expect(exec.gaveOut(0x2000n, 4096)).toBe(true);
    expect(exec.gaveOut(0x1fffn, 2), 'reaches into what is free').toBe(false);
    exec.free(0x2000n, 4096);
    expect(exec.gaveOut(0x2000n, 1)).toBe(false);
    expect(exec.allocate(8192)).toBe(0x2000n);
    expect(exec.allocate(0)).toBeNull();
    expect(exec.holds(0x3fffn, 1)).toBe(true);
    expect(exec.holds(0x3fffn, 2)).toBe(false);
  });
});

describe('the jump to the stub', () => {
  it.each([
    ['x86_64', x86_64Traps, 0xffff_ffff_8100_0000n, 0xffff_ffff_bfe0_0000n, 'e9fbffdf3e'],
    ['x86_64, backwards', x86_64Traps, 0x2000n, 0x1000n, 'e9fbefffff'],
    ['x86_64, too far', x86_64Traps, 0n, 0x8000_0005n, null],
    ['arm64', arm64Traps, 0xffff_8000_0801_0000n, 0xffff_8000_07e0_0000n, '00c0f717'],
    ['arm64, too far', arm64Traps, 0n, 0x800_0000n, null],
    ['riscv64', riscv64Traps, 0x8000_0000n, 0x8000_1804n, '972200006780428 0'.replace(' ', '')],
    ['riscv64, too far', riscv64Traps, 0n, 0x8000_0000n, null],
  ])('%s', (_name, traps, from, to, expected) => {
    const jump = traps.handler.jump(from, to);
    expect(jump === null ? null : Buffer.from(jump).toString('hex')).toBe(expected);
  });
});
