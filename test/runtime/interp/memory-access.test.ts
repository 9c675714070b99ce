import { describe, expect, it, test } from 'vitest';
import { BpfProgType, hex64 } from '../../../src/base/index.js';
import type { Insn } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { fixture } from './support.js';

const { BPF_ADD, BPF_B, BPF_DW, BPF_W } = isa;
const mapValue = (register: number, offset = 0): Insn[] => isa.ldImm64(register, BigInt(offset) << 32n, 2);
const kernelAddress = 0xffff_8880_1234_5678n;

describe('memory a run may touch', () => {
  const reads: [string, Insn[]][] = [
    ['the lowest byte of its stack', [isa.st(BPF_DW, 10, -512, 7), isa.ldx(BPF_B, 0, 10, -512)]],
    ['the highest byte of its stack', [isa.st(BPF_B, 10, -1, 7), isa.ldx(BPF_B, 0, 10, -1)]],
    ['the last byte of its context', [isa.mov64Imm(0, 7), isa.ldx(BPF_B, 2, 1, 15)]],
    [
      'the last byte of a map value',
      [...mapValue(1), isa.mov64Imm(0, 7), isa.st(BPF_B, 1, 7, 1), isa.ldx(BPF_B, 2, 1, 7)],
    ],
  ];
  test.each(reads)('%s', (_what, insns) => {
    const { array, load, run } = fixture();
    expect(run(load([insns, isa.exit()], { maps: [array(8)] }))).toBe(7);
  });

  const refused: [string, Insn[], RegExp][] = [
    [
      'below the stack',
      [isa.st(BPF_B, 10, -513, 0)],
      /^invalid write of 1 bytes at 0xfffffe80\w+ \(off=-513\): below the 512-byte stack frame$/,
    ],
    ['across the start of the stack', [isa.st(BPF_DW, 10, -516, 0)], /^invalid write of 8 bytes/],
    ['above the stack', [isa.ldx(BPF_B, 0, 10, 0)], /^invalid read of 1 bytes/],
    ['across the end of the stack', [isa.ldx(BPF_DW, 0, 10, -4)], /^invalid read of 8 bytes/],
    ['across the end of the context', [isa.ldx(BPF_W, 0, 1, 13)], /^invalid read of 4 bytes/],
    ['before the context', [isa.ldx(BPF_W, 0, 1, -4)], /^invalid read of 4 bytes/],
    ['writes to a tracing context', [isa.st(BPF_W, 1, 0, 1)], /^invalid write of 4 bytes .*: read-only memory$/],
    ['across the end of a map value', [...mapValue(1), isa.ldx(BPF_DW, 0, 1, 4)], /^invalid read of 8 bytes/],
    ['before a map value', [...mapValue(1), isa.ldx(BPF_B, 0, 1, -1)], /^invalid read of 1 bytes/],
    [
      'through NULL',
      [isa.mov64Imm(1, 0), isa.ldx(BPF_W, 0, 1, 8)],
      /^invalid read of 4 bytes at 0x000000008 \(off=8\): a NULL pointer$/,
    ],
    ['writes to the host', [...isa.ldImm64(1, kernelAddress), isa.st(BPF_W, 1, 0, 1)], /: memory of the host$/],
    [
      'atomics on the host',
      [...isa.ldImm64(1, kernelAddress), isa.mov64Imm(2, 1), isa.atomic(BPF_W, BPF_ADD, 1, 2, 0)],
      /: memory of the host$/,
    ],
    [
      'atomics that are not aligned',
      [...mapValue(1), isa.mov64Imm(2, 1), isa.atomic(BPF_DW, BPF_ADD, 1, 2, 4)],
      /^misaligned atomic access of 8 bytes at 0xfffffe80\w+4 \(off=4\)$/,
    ],
    [
      'loads that acquire and are not aligned',
      [isa.st(BPF_DW, 10, -8, 1), isa.atomic(BPF_W, isa.BPF_LOAD_ACQ, 0, 10, -7)],
      /^misaligned atomic access of 4 bytes at 0xfffffe80\w+9 \(off=-7\)$/,
    ],
    [
      'stores that release and are not aligned',
      [isa.mov64Imm(2, 1), isa.atomic(isa.BPF_H, isa.BPF_STORE_REL, 10, 2, -3)],
      /^misaligned atomic access of 2 bytes at 0xfffffe80\w+d \(off=-3\)$/,
    ],
  ];
  test.each(refused)('not %s', (_what, insns, reason) => {
    const { array, load, run } = fixture();
    expect(run(load([isa.mov64Imm(0, 0), insns, isa.exit()], { maps: [array(8)] }))).toMatchObject({
      reason: expect.stringMatching(reason),
    });
  });

  it('is the same after the program has read elsewhere', () => {
    const { array, load, run } = fixture();
    const both = array(8);
    const program = load(
      [mapValue(1), isa.ldx(BPF_B, 0, 1, 0), isa.ldx(BPF_B, 0, 1, 7), isa.ldx(BPF_B, 0, 1, 8), isa.exit()],
      { maps: [both] },
    );
    expect(run(program)).toMatchObject({ pc: 4 });
  });

  it('reads of host memory see the host, and zero where it faults', () => {
    const { host, array, load, run, runtime } = fixture();
    const mapped = host.memory.map(0xffff_8880_0000_0000n, 4096);
    mapped.set([1, 2, 3, 4, 5, 6, 7, 8], 16);
    const map = array(16);
    const program = load(
      [
        mapValue(6),
        isa.ldImm64(1, 0xffff_8880_0000_0000n),
        isa.ldx(BPF_DW, 2, 1, 16),
        isa.stx(BPF_DW, 6, 2, 0),
        isa.ldImm64(1, 0xffff_a000_0000_0000n),
        isa.mov64Imm(2, -1),
        isa.ldx(BPF_DW, 2, 1, 16),
        isa.stx(BPF_DW, 6, 2, 8),
        isa.mov64Imm(0, 0),
        isa.exit(),
      ],
      { maps: [map] },
    );
    expect(run(program)).toBe(0);
    const value = map.sysLookup(new Uint8Array(4)) as Uint8Array;
    expect([...value]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(runtime.memory.used).toBeGreaterThan(0);
  });

  it('reads through NULL give zero in programs with typed pointers, as in Linux', () => {
    const { load, run } = fixture();
    const insns = [isa.mov64Imm(1, 0), isa.ldx(BPF_W, 0, 1, 8), isa.exit()];
    expect(run(load(insns, { type: BpfProgType.BPF_PROG_TYPE_TRACING }))).toBe(0);
  });
});

describe('a stopped run', () => {
  it('says where, why and with which registers', () => {
    const { load, run } = fixture();
    const lines = [
      { insn: 0, file: 'a.bpf.c', line: 10, column: 3, text: '  int x = 5;' },
      { insn: 2, file: 'a.bpf.c', line: 12, column: 3, text: '  return *p;' },
    ];
    const program = load([isa.mov64Imm(7, -1), isa.mov64Imm(1, 0), isa.ldx(BPF_W, 0, 1, 0), isa.exit()], {
      lines,
      name: 'broken',
    });
    const fault = run(program);
    expect(fault).toMatchObject({ program: 'broken', pc: 2, source: 'a.bpf.c:12: return *p;' });
    expect(typeof fault === 'object' && fault.registers.map(hex64).slice(6, 8)).toEqual([hex64(0n), hex64(-1n)]);
  });

  it('counts slots, not instructions: a 64-bit load takes two', () => {
    const { load, run } = fixture();
    expect(run(load([isa.ldImm64(1, 0n), isa.ldImm64(2, 0n), isa.ldx(BPF_W, 0, 1, 0), isa.exit()]))).toMatchObject({
      pc: 4,
    });
  });

  it('leaves the program runnable', () => {
    const { load, run } = fixture();
    const program = load([
      isa.ldx(BPF_W, 2, 1, 0),
      isa.mov64Imm(0, 3),
      isa.jmpImm(isa.BPF_JNE, 2, 1, 1),
      isa.ldx(BPF_W, 0, 10, 0),
      isa.exit(),
    ]);
    expect(run(program, Uint8Array.of(1, 0, 0, 0))).toMatchObject({ pc: 3 });
    expect(run(program, Uint8Array.of(2, 0, 0, 0))).toBe(3);
  });
});

describe('the instruction budget', () => {
  const endless = [isa.mov64Imm(0, 0), isa.alu64Imm(BPF_ADD, 0, 1), isa.jmpImm(isa.BPF_JNE, 0, -1, -2), isa.exit()];

  it('stops an endless loop', () => {
    const { load, run } = fixture({ instructionBudget: 1000 });
    expect(run(load(endless))).toMatchObject({ pc: 2, reason: 'the instruction budget of the run is used up' });
  });

  it('ends a may_goto loop when half of it is used up', () => {
    const { load, run } = fixture({ instructionBudget: 3000 });
    const insns = [isa.mov64Imm(0, 0), isa.mayGoto(2), isa.alu64Imm(BPF_ADD, 0, 1), isa.ja(-3), isa.exit()];
    expect(run(load(insns))).toBe(500);
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 49])('refuses %s', (instructionBudget) => {
    expect(() => fixture({ instructionBudget })).toThrow(RangeError);
  });
});
