import { describe, expect, it, test } from 'vitest';
import { BpfMapType, BpfProgType } from '../../../src/base/index.js';
import type { BpfMap, Insn, ProgArrayMap } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { type Fixture, fixture } from './support.js';

const { BPF_ADD, BPF_DW, BPF_JNE, BPF_MUL, BPF_W } = isa;
const MAP_LOOKUP = 1;
const TAIL_CALL = 12;
const TRACE_PRINTK = 6;
const GET_STACKID = 27;
const OVERRIDE_RETURN = 58;
const GET_CPU = 8;
const LOOP = 181;
const FOR_EACH_MAP_ELEM = 164;
const mapPointer = (register: number, index = 0): Insn[] => isa.ldImm64(register, BigInt(index), 1);
const mapValue = (register: number, index = 0): Insn[] => isa.ldImm64(register, BigInt(index), 2);

describe('bpf-to-bpf calls', () => {
  it('preserve r6 to r9 and give each frame its own stack', () => {
    const { load, run } = fixture();
    const program = load([
      isa.mov64Imm(6, 1),
      isa.mov64Imm(9, 2),
      isa.st(BPF_DW, 10, -8, 30),
      isa.callSubprog(5),
      isa.ldx(BPF_DW, 1, 10, -8),
      ...[6, 9, 1].map((r) => isa.alu64Reg(BPF_ADD, 0, r)),
      isa.exit(),
      isa.mov64Imm(6, 100),
      isa.mov64Imm(9, 100),
      isa.st(BPF_DW, 10, -8, 100),
      isa.mov64Imm(0, 400),
      isa.exit(),
    ]);
    expect(run(program)).toBe(433);
  });

  it('may write to the stack of their callers', () => {
    const { load, run } = fixture();
    const program = load([
      isa.st(BPF_DW, 10, -8, 1),
      isa.mov64Reg(1, 10),
      isa.callSubprog(2),
      isa.ldx(BPF_DW, 0, 10, -8),
      isa.exit(),
      isa.st(BPF_DW, 1, -8, 7),
      isa.mov64Imm(0, 0),
      isa.exit(),
    ]);
    expect(run(program)).toBe(7);
  });

  it('nest eight frames deep', () => {
    const { load, run } = fixture();
    const frames = 8;
    const functions = Array.from({ length: frames }, (_, i) =>
      i + 1 < frames
        ? [isa.alu64Imm(BPF_ADD, 1, 1), isa.callSubprog(1), isa.exit()]
        : [isa.alu64Imm(BPF_ADD, 1, 1), isa.mov64Reg(0, 1), isa.exit()],
    );
    expect(run(load([isa.mov64Imm(1, 0), ...functions]))).toBe(frames);
  });
});

describe('helper calls', () => {
  it('return pointers that can be used', () => {
    const { array, load, run } = fixture();
    const map = array(8, { contents: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0) });
    const program = load(
      [
        isa.st(BPF_W, 10, -4, 0),
        isa.mov64Reg(2, 10),
        isa.alu64Imm(BPF_ADD, 2, -4),
        mapPointer(1),
        isa.call(MAP_LOOKUP),
        isa.jmpImm(BPF_JNE, 0, 0, 1),
        isa.exit(),
        isa.ldx(BPF_DW, 0, 0, 0),
        isa.exit(),
      ],
      { maps: [map] },
    );
    expect(run(program)).toBe(5);
  });

  const refused: [string, Insn[], string][] = [
    [
      'no map',
      [isa.mov64Reg(1, 10), isa.mov64Reg(2, 10)],
      'bpf_map_lookup_elem#1: argument 1 must be a map, got 0xfffffe80',
    ],
    [
      'no readable key',
      [...mapPointer(1), isa.mov64Reg(2, 10)],
      'argument 2 must be readable memory of the size of a key, got 0xfffffe80',
    ],
    [
      'a NULL key',
      [...mapPointer(1), isa.mov64Imm(2, 0)],
      'argument 2 must be readable memory of the size of a key, got 0x000000000',
    ],
  ];
  test.each(refused)('with %s stop the run', (_what, args, reason) => {
    const { array, load, run } = fixture();
    expect(run(load([args, isa.call(MAP_LOOKUP), isa.exit()], { maps: [array(8)] }))).toMatchObject({
      reason: expect.stringContaining(reason),
    });
  });

  const impossible: [string, number, RegExp][] = [
    ['no helper', 0, /^unknown helper function 0$/],
    ['a helper nobody has', 9999, /^unknown helper function 9999$/],
    ['a helper that is not supported', OVERRIDE_RETURN, /^helper bpf_override_return#58 is not supported$/],
    ['a failed CO-RE relocation', 195_896_080 + 3, /^a CO-RE relocation of this instruction failed/],
    ['a kernel function that is missing', 2_002_000_002, /^a kernel function or map that the kernel lacks/],
  ];
  test.each(impossible)('of %s are harmless until they are reached', (_what, number, reason) => {
    const { load, run } = fixture();
    const insns = [
      isa.mov64Imm(0, 4),
      isa.ldx(BPF_W, 2, 1, 0),
      isa.jmpImm(BPF_JNE, 2, 1, 1),
      isa.call(number),
      isa.exit(),
    ];
    const program = load(insns);
    expect(run(program, Uint8Array.of(0, 0, 0, 0))).toBe(4);
    expect(run(program, Uint8Array.of(1, 0, 0, 0))).toMatchObject({ pc: 3, reason: expect.stringMatching(reason) });
  });
});

describe('calls a kernel would not load', () => {
  const { BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_XDP } = BpfProgType;
  const restricted = /^cannot call GPL-restricted helper bpf_trace_printk#6 .*\(licence "(Proprietary|)"\)$/;
  const foreign = /^program of this type cannot use helper bpf_get_stackid#27$/;
  const refused: [string, { type: number; license: string }, number, RegExp][] = [
    ['a closed program', { type: BPF_PROG_TYPE_KPROBE, license: 'Proprietary' }, TRACE_PRINTK, restricted],
    ['a program of no licence', { type: BPF_PROG_TYPE_XDP, license: '' }, TRACE_PRINTK, restricted],
    ['a socket filter', { type: BPF_PROG_TYPE_SOCKET_FILTER, license: 'GPL' }, GET_STACKID, foreign],
  ];
  test.each(refused)('stop the run of %s', (_what, options, helper, reason) => {
    const { load, run } = fixture();
    const program = load([isa.call(helper), isa.exit()], options);
    expect(run(program)).toMatchObject({ pc: 0, reason: expect.stringMatching(reason) });
  });

  test.each(['GPL', 'GPL v2', 'GPL and additional rights', 'Dual BSD/GPL', 'Dual MIT/GPL', 'Dual MPL/GPL'])(
    'are none under the licence %s',
    (license) => {
      const { load, run } = fixture();
      const insns = [isa.st(BPF_W, 10, -4, 0), isa.mov64Reg(1, 10), isa.alu64Imm(BPF_ADD, 1, -4), isa.mov64Imm(2, 4)];
      expect(run(load([insns, isa.call(TRACE_PRINTK), isa.exit()], { license }))).toBe(0);
    },
  );
});

describe('callbacks', () => {
  /** r0 = bpf_loop(`times`, callback, &sum, 0); the callback adds its index to the sum. */
  function sumUpTo(times: number): Insn[] {
    const main = [
      isa.st(BPF_DW, 10, -8, 0),
      isa.mov64Imm(6, 1000),
      isa.mov64Imm(1, times),
      ...isa.ldImm64(2, 6n, 4),
      isa.mov64Reg(3, 10),
      isa.alu64Imm(BPF_ADD, 3, -8),
      isa.mov64Imm(4, 0),
      isa.call(LOOP),
      isa.ldx(BPF_DW, 0, 10, -8),
      isa.alu64Reg(BPF_ADD, 0, 6),
      isa.exit(),
    ];
    const callback = [
      isa.mov64Imm(6, 5),
      isa.ldx(BPF_DW, 3, 2, 0),
      isa.alu64Reg(BPF_ADD, 3, 1),
      isa.stx(BPF_DW, 2, 3, 0),
      isa.mov64Imm(0, 0),
      isa.exit(),
    ];
    const distance = main.length - 4;
    main[3] = { ...main[3], imm: distance };
    return [...main, ...callback];
  }

  it('run with the stack and registers of a call', () => {
    const { load, run } = fixture();
    expect(run(load(sumUpTo(10)))).toBe(1045);
  });

  it('of bpf_for_each_map_elem may read keys and write values', () => {
    const { runtime, load, run } = fixture();
    const map = runtime.createMap({
      name: 'elements',
      type: BpfMapType.BPF_MAP_TYPE_HASH,
      keySize: 4,
      valueSize: 4,
      maxEntries: 4,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
    for (const n of [1, 2, 3]) map.sysUpdate(Uint8Array.of(n, 0, 0, 0), new Uint8Array(4));
    const callback = [
      isa.ldx(BPF_W, 5, 2, 0),
      isa.alu64Imm(BPF_MUL, 5, 10),
      isa.stx(BPF_W, 3, 5, 0),
      isa.mov64Imm(0, 0),
      isa.exit(),
    ];
    const main = [
      ...mapPointer(1),
      ...isa.ldImm64(2, 5n, 4),
      isa.mov64Imm(3, 0),
      isa.mov64Imm(4, 0),
      isa.call(FOR_EACH_MAP_ELEM),
      isa.exit(),
    ];
    expect(run(load([main, callback], { maps: [map] }))).toBe(3);
    expect([1, 2, 3].map((n) => map.sysLookup(Uint8Array.of(n, 0, 0, 0)))).toEqual(
      [10, 20, 30].map((n) => Uint8Array.of(n, 0, 0, 0)),
    );
  });

  it('count in the budget of their run', () => {
    const { load, run } = fixture({ instructionBudget: 1000 });
    expect(run(load(sumUpTo(10)))).toBe(1045);
    expect(run(load(sumUpTo(500)))).toMatchObject({ reason: 'the instruction budget of the run is used up' });
  });
});

describe('tail calls', () => {
  function progArray({ runtime }: Fixture): ProgArrayMap {
    const map = runtime.createMap({
      name: 'jumps',
      type: BpfMapType.BPF_MAP_TYPE_PROG_ARRAY,
      keySize: 4,
      valueSize: 4,
      maxEntries: 4,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
    return map as ProgArrayMap;
  }

  const tailCall = (index: number, mapIndex = 0): Insn[] => [
    ...mapPointer(2, mapIndex),
    isa.mov64Imm(3, index),
    isa.call(TAIL_CALL),
  ];

  it('put another program in place of this one', () => {
    const f = fixture();
    const map = progArray(f);
    map.setProgram(1, f.load([isa.mov64Imm(0, 77), isa.exit()]));
    expect(f.run(f.load([tailCall(1), isa.mov64Imm(0, 1), isa.exit()], { maps: [map] }))).toBe(77);
  });

  test.each([
    ['an empty slot', 2],
    ['an index past the end', 4],
    ['a negative index', -1],
  ])('of %s do nothing', (_what, index) => {
    const f = fixture();
    const map = progArray(f);
    expect(f.run(f.load([tailCall(index), isa.mov64Imm(0, 1), isa.exit()], { maps: [map] }))).toBe(1);
  });

  it('are made 33 times at most in one run', () => {
    const f = fixture();
    const map = progArray(f);
    const counter = f.array(8);
    const program = f.load(
      [
        mapValue(6, 1),
        isa.mov64Imm(7, 1),
        isa.atomic(BPF_DW, BPF_ADD, 6, 7, 0),
        tailCall(0),
        isa.ldx(BPF_DW, 0, 6, 0),
        isa.exit(),
      ],
      { maps: [map, counter] },
    );
    map.setProgram(0, program);
    expect(f.run(program)).toBe(34);
  });

  it('from a subprogram return to its caller', () => {
    const f = fixture();
    const map = progArray(f);
    map.setProgram(0, f.load([isa.st(BPF_DW, 10, -512, 1), isa.mov64Imm(0, 20), isa.exit()]));
    const program = f.load(
      [
        isa.mov64Imm(6, 3),
        isa.st(BPF_DW, 10, -8, 4),
        isa.callSubprog(4),
        isa.ldx(BPF_DW, 1, 10, -8),
        isa.alu64Reg(BPF_ADD, 0, 1),
        isa.alu64Reg(BPF_MUL, 0, 6),
        isa.exit(),
        tailCall(0),
        isa.mov64Imm(0, 0),
        isa.exit(),
      ],
      { maps: [map] },
    );
    expect(f.run(program)).toBe(72);
  });

  it('pass on the fault of the program they enter', () => {
    const f = fixture();
    const map = progArray(f);
    map.setProgram(0, f.load([isa.ldx(BPF_W, 0, 10, 0), isa.exit()], { name: 'target' }));
    const program = f.load([tailCall(0), isa.mov64Imm(0, 1), isa.exit()], { maps: [map] });
    expect(f.run(program)).toMatchObject({ program: 'target', pc: 0 });
    expect(f.run(program)).toMatchObject({ program: 'target', pc: 0 });
  });

  it('want the context and a prog array', () => {
    const f = fixture();
    const maps: BpfMap[] = [progArray(f), f.array(8)];
    expect(f.run(f.load([tailCall(0, 1), isa.exit()], { maps }))).toMatchObject({
      reason: expect.stringContaining('a prog array'),
    });
    expect(f.run(f.load([isa.mov64Imm(1, 0), tailCall(0), isa.exit()], { maps }))).toMatchObject({
      reason: expect.stringContaining('the context'),
    });
  });
});

describe('a program that runs nested in itself', () => {
  it('has registers and stack of its own in each run', () => {
    const { runtime, load } = fixture();
    const program = load([
      isa.st(BPF_DW, 10, -8, 1),
      isa.mov64Imm(6, 9),
      isa.call(GET_CPU),
      isa.ldx(BPF_DW, 0, 10, -8),
      isa.exit(),
    ]);
    const outer = runtime.enter(0);
    const inner = runtime.enter(0);
    if (outer === null || inner === null) throw new Error('nested too deeply');
    expect(inner.stackPointer).not.toBe(outer.stackPointer);
    expect(program.engine.run(inner, 0)).toBe(1);
    runtime.leave(inner);
    expect(program.engine.run(outer, 0)).toBe(1);
    runtime.leave(outer);
  });

  it('is refused a fifth level on one CPU', () => {
    const { runtime } = fixture();
    const runs = Array.from({ length: 5 }, () => runtime.enter(0));
    expect(runs.map((run) => run !== null)).toEqual([true, true, true, true, false]);
  });
});

describe('loaded programs', () => {
  it('count their runs and keep their maps until the last reference goes', () => {
    const { runtime, array, load, run } = fixture();
    const map = array(8);
    const program = load([mapValue(1), isa.mov64Imm(0, 0), isa.exit()], {
      maps: [map],
      type: BpfProgType.BPF_PROG_TYPE_XDP,
    });
    run(program);
    run(program);
    expect(program.runCount).toBe(2n);
    map.release();
    expect([...runtime.maps]).toEqual([map]);
    program.retain();
    program.release();
    expect([...runtime.programs]).toEqual([program]);
    program.release();
    expect([...runtime.maps]).toEqual([]);
    expect([...runtime.programs]).toEqual([]);
  });
});
