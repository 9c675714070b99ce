import { describe, expect, it } from 'vitest';
import { BpfFuncId, BpfMapType, BpfProgType, BpfPseudo } from '../../../src/base/index.js';
import { BpfRuntime, type MapSpec } from '../../../src/runtime/index.js';
import {
  BPF_ADD,
  BPF_DW,
  BPF_JLT,
  BPF_LSH,
  BPF_MUL,
  BPF_W,
  alu64Imm,
  alu64Reg,
  call,
  exit,
  jmpImm,
  ldImm64,
  ldx,
  mov64Imm,
  mov64Reg,
  stx,
  type Insn,
} from '../../../src/runtime/isa/index.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { TestHost } from '../../support/test-host.js';
import { SideBySide, sides } from '../side-by-side.js';

const GOLDEN = new URL('../../testdata/map/keyless-programs.txt', import.meta.url);
const RESULTS = 160;
const Maps = { subject: 0, results: 1 } as const;
const F = BpfFuncId;

/** A map without keys and the calls that a program makes of it, one result each. */
interface Case {
  readonly title: string;
  readonly map: Partial<MapSpec> & { readonly type: number };
  readonly program: readonly Insn[];
}

/** A value is at fp-16; all of it is written anew, as a peek may have left zeroes. */
function setValue(from: number): Insn[] {
  return [stx(BPF_DW, 10, from, -16), stx(BPF_DW, 10, from, -8)];
}

function callMap(helper: number, flags = 0): Insn[] {
  return [
    ...ldImm64(1, BigInt(Maps.subject), BpfPseudo.BPF_PSEUDO_MAP_FD),
    mov64Reg(2, 10),
    alu64Imm(BPF_ADD, 2, -16),
    mov64Imm(3, flags),
    call(helper),
  ];
}

/** results[r6] = r0, and the value's first four bytes above it. */
function keepResult(): Insn[] {
  return [
    ldx(BPF_W, 1, 10, -16),
    alu64Imm(BPF_LSH, 1, 16),
    alu64Imm(BPF_LSH, 0, 48),
    alu64Reg(BPF_ADD, 1, 0),
    ...ldImm64(2, BigInt(Maps.results), BpfPseudo.BPF_PSEUDO_MAP_VALUE),
    mov64Reg(3, 6),
    alu64Imm(BPF_LSH, 3, 3),
    alu64Reg(BPF_ADD, 2, 3),
    stx(BPF_DW, 2, 1, 0),
  ];
}

/** `body` for r6 = 0 .. count - 1. */
function times(count: number, body: readonly Insn[]): Insn[] {
  return [mov64Imm(6, 0), ...body, alu64Imm(BPF_ADD, 6, 1), jmpImm(BPF_JLT, 6, count, -(body.length + 2))];
}

/** Pushes multiples of 7919, then asks for many numbers of which some are among them: hashes decide the rest. */
function bloomProgram(pushes: number): Insn[] {
  const value = [mov64Reg(7, 6), alu64Imm(BPF_MUL, 7, 7919), ...setValue(7)];
  const asked = [mov64Reg(7, 6), alu64Imm(BPF_MUL, 7, 7919 * 2), ...setValue(7)];
  return [
    ...times(pushes, [...value, ...callMap(F.BPF_FUNC_map_push_elem)]),
    ...times(RESULTS, [...asked, ...callMap(F.BPF_FUNC_map_peek_elem), ...keepResult()]),
    mov64Imm(0, 0),
    exit(),
  ];
}

function queueProgram(): Insn[] {
  const steps: readonly (readonly [helper: number, flags?: number])[] = [
    [F.BPF_FUNC_map_peek_elem],
    [F.BPF_FUNC_map_pop_elem],
    [F.BPF_FUNC_map_push_elem],
    [F.BPF_FUNC_map_push_elem],
    [F.BPF_FUNC_map_peek_elem],
    [F.BPF_FUNC_map_push_elem, 1],
    [F.BPF_FUNC_map_push_elem, 3],
    [F.BPF_FUNC_map_push_elem],
    [F.BPF_FUNC_map_push_elem],
    [F.BPF_FUNC_map_push_elem, 2],
    [F.BPF_FUNC_map_pop_elem],
    [F.BPF_FUNC_map_push_elem],
    [F.BPF_FUNC_map_pop_elem],
    [F.BPF_FUNC_map_pop_elem],
    [F.BPF_FUNC_map_pop_elem],
    [F.BPF_FUNC_map_pop_elem],
    [F.BPF_FUNC_map_push_elem],
    [F.BPF_FUNC_map_peek_elem],
  ];
  const body = steps.flatMap(([helper, flags], i) => [
    mov64Imm(6, i),
    mov64Imm(7, 1000 + i),
    ...setValue(7),
    ...callMap(helper, flags),
    ...keepResult(),
  ]);
  return [...body, mov64Imm(0, 0), exit()];
}

const { BPF_MAP_TYPE_BLOOM_FILTER: BLOOM, BPF_MAP_TYPE_QUEUE: QUEUE, BPF_MAP_TYPE_STACK: STACK } = BpfMapType;
const bloom = { type: BLOOM, flags: 0x40 };

const cases: readonly Case[] = [
  { title: 'bloom filter', map: { ...bloom, maxEntries: 30 }, program: bloomProgram(30) },
  {
    title: 'bloom filter with more in it than it was made for',
    map: { ...bloom, maxEntries: 12, mapExtra: 3n },
    program: bloomProgram(40),
  },
  {
    title: 'bloom filter of one hash, values of odd size',
    map: { ...bloom, valueSize: 13, maxEntries: 40, mapExtra: 1n },
    program: bloomProgram(40),
  },
  { title: 'queue', map: { type: QUEUE, maxEntries: 3 }, program: queueProgram() },
  { title: 'stack', map: { type: STACK, maxEntries: 3 }, program: queueProgram() },
];

function specs({ map }: Case): MapSpec[] {
  const common = { name: 'm', keySize: 0, valueSize: 16, maxEntries: 1, flags: 0, keyTypeId: 0, valueTypeId: 0 };
  const results = { ...common, type: BpfMapType.BPF_MAP_TYPE_ARRAY, keySize: 4, valueSize: 8 * RESULTS };
  return [{ ...common, ...map }, results];
}

function line({ title }: Case, results: Uint8Array): string {
  return `${title} | ${Buffer.from(results).toString('hex')}`;
}

describe.skipIf(recording())('programs that push, peek and pop', () => {
  describe.each(sides)('%s', (_name, engine) => {
    it.each(cases)('$title: as the kernel answered', (each) => {
      const runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine: engine() });
      const maps = specs(each).map((spec) => runtime.createMap(spec));
      const program = runtime.loadProgram({
        name: 'keyless',
        type: BpfProgType.BPF_PROG_TYPE_XDP,
        expectedAttachType: 0,
        license: 'GPL',
        insns: each.program,
        maps,
      });
      expect(runtime.testRun(program, { dataIn: new Uint8Array(64) }).retval).toBe(0);
      const results = maps[Maps.results].sysLookup(new Uint8Array(4)) as Uint8Array;
      expect(readGolden(GOLDEN).lines).toContain(line(each, results));
    });
  });
});

describeWithLinux('programs that push, peek and pop, live', (linux) => {
  it('answer what the golden says', async () => {
    const live: string[] = [];
    for (const each of cases) {
      const side = new SideBySide(linux);
      for (const spec of specs(each)) side.map(spec);
      await side.run(each.program);
      live.push(line(each, (await side.firstValue(side.maps[Maps.results])).linux));
      await side.close();
    }
    if (recording()) writeGolden(GOLDEN, { release: linux.release, lines: live });
    expect(live).toEqual(readGolden(GOLDEN).lines);
  });
});
