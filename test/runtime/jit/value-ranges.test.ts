import { describe, expect, test } from 'vitest';
import { BpfMapType, BpfProgType } from '../../../src/base/index.js';
import { BpfRuntime, type BpfMap } from '../../../src/runtime/index.js';
import { assemble } from '../../../src/runtime/isa/index.js';
import { checkProgram } from '../../../src/runtime/check/index.js';
import { formOps } from '../../../src/runtime/interp/form-ops.js';
import { predecode } from '../../../src/runtime/interp/predecode.js';
import { dominators } from '../../../src/runtime/jit/flow/dominators.js';
import { flowGraph } from '../../../src/runtime/jit/flow/flow-graph.js';
import { gatherFacts } from '../../../src/runtime/jit/gather-facts.js';
import type { FunctionFacts } from '../../../src/runtime/jit/lower/emitter.js';
import { TestHost } from '../../support/test-host.js';

const VALUE_SIZE = 64;
const runtime = new BpfRuntime(new TestHost({ cpus: 1 }));
const maps: readonly BpfMap[] = [1, 8].map((maxEntries) =>
  runtime.createMap({
    name: `array${maxEntries}`,
    type: BpfMapType.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: VALUE_SIZE,
    maxEntries,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
  }),
);

function factsOf(text: string): FunctionFacts {
  const executable = checkProgram({
    name: 'facts',
    type: BpfProgType.BPF_PROG_TYPE_XDP,
    expectedAttachType: 0,
    license: 'GPL',
    insns: assemble(text),
    maps,
  });
  const code = predecode(executable, runtime.helpers, formOps);
  const graph = flowGraph(code, 0);
  const plan = { executable, runtime, code, assumeProved: false, trustContext: true };
  return gatherFacts(
    { ...plan, usesBudget: false, usesWindows: false, contextNeed: 0 },
    graph,
    dominators(graph),
    true,
  );
}

/** How the last access of the text is checked, in the order of the instructions. */
function lastWay(text: string): string | undefined {
  const { ways } = factsOf(`${text}\nr0 = 0\nexit`);
  return ways.get(Math.max(...ways.keys()))?.kind;
}

const NUMBER = 'r2 = *(u32 *)(r1 + 12)';
const VALUE = 'r9 = map[0].value + 0 ll';
const PACKET = 'r7 = *(u32 *)(r1 + 0)\nr8 = *(u32 *)(r1 + 4)';

describe('an access of the frame', () => {
  test.each([
    ['at a constant place', 'r3 = r10; r3 += -16; *(u64 *)(r3 + 8) = 1', 'frame'],
    ['below the frame', '*(u64 *)(r10 - 520) = 1', 'window'],
    ['across its end', 'r3 = r10; *(u64 *)(r3 - 7) = 1', 'window'],
    ['by a masked number', `${NUMBER}; r2 &= 56; r3 = r10; r3 += -64; r3 += r2; *(u64 *)(r3 + 0) = 1`, 'proved'],
    [
      'by a mask that is too wide',
      `${NUMBER}; r2 &= 57; r3 = r10; r3 += -64; r3 += r2; *(u64 *)(r3 + 0) = 1`,
      'nearFrame',
    ],
    ['by any number', `${NUMBER}; r3 = r10; r3 += -64; r3 += r2; *(u8 *)(r3 + 0) = 1`, 'nearFrame'],
    ['below zero', `${NUMBER}; r2 &= 7; r3 = r10; r3 += -505; r3 -= r2; *(u8 *)(r3 + 0) = 1`, 'proved'],
    ['one below', `${NUMBER}; r2 &= 7; r3 = r10; r3 += -506; r3 -= r2; *(u8 *)(r3 + 0) = 1`, 'nearFrame'],
  ])('%s: %s', (_name, text, way) => expect(lastWay(text)).toBe(way));
});

describe('a comparison bounds what indexes a value', () => {
  const index = (condition: string, number = NUMBER): string =>
    `${VALUE}; ${number}; if ${condition} goto out; r9 += r2; r0 = *(u8 *)(r9 + 0); out:`;

  test.each([
    ['r2 > 63', 'proved'],
    ['r2 > 64', 'nearRegion'],
    ['r2 >= 64', 'proved'],
    ['w2 > 63', 'proved'],
    ['w2 s> 63', 'nearRegion'],
    ['r2 s> 63', 'proved'],
    ['r2 == 63', 'nearRegion'],
    ['r2 != 63', 'proved'],
    ['r2 & 64', 'nearRegion'],
  ])('a 32-bit number, out if %s: %s', (condition, way) => expect(lastWay(index(condition))).toBe(way));

  const wide = 'r2 = *(u64 *)(r9 + 0)';
  test.each([
    ['r2 > 63', 'proved'],
    ['w2 > 63', 'nearRegion'],
    ['r2 s> 63', 'nearRegion'],
  ])('a 64-bit number, out if %s: %s', (condition, way) => expect(lastWay(index(condition, wide))).toBe(way));

  test('both signed bounds together do for 64 bits', () => {
    expect(
      lastWay(`${VALUE}; ${wide}; if r2 s< 0 goto out; if r2 s> 63 goto out; r9 += r2; r0 = *(u8 *)(r9 + 0); out:`),
    ).toBe('proved');
  });

  test('the smaller of two registers', () => {
    const bound = `${NUMBER}; r3 = *(u8 *)(r9 + 0); r3 &= 31; if r2 >= r3 goto out`;
    expect(lastWay(`${VALUE}; ${bound}; r9 += r2; r0 = *(u8 *)(r9 + 32); out:`)).toBe('proved');
    expect(lastWay(`${VALUE}; ${bound}; r9 += r2; r0 = *(u8 *)(r9 + 34); out:`)).toBe('nearRegion');
  });
});

describe('arithmetic keeps bounds', () => {
  const indexed = (computed: string): string => `${VALUE}; ${NUMBER}; ${computed}; r9 += r2; r0 = *(u8 *)(r9 + 0)`;

  test.each([
    ['r2 %= 64', 'proved'],
    ['r2 %= 65', 'nearRegion'],
    ['r2 >>= 26', 'proved'],
    ['r2 >>= 25', 'nearRegion'],
    ['w2 &= 15; w2 *= 4', 'proved'],
    ['w2 &= 15; w2 <<= 2; w2 |= 3', 'proved'],
    ['w2 &= 15; w2 <<= 2; w2 += 4', 'nearRegion'],
    ['r2 &= 31; r3 = 63; r3 -= r2; r2 = r3', 'proved'],
    ['r2 &= 31; r3 = 30; r3 -= r2; r2 = r3', 'nearRegion'],
    ['r3 = *(u64 *)(r9 + 0); r3 >>= 58; r2 = r3', 'proved'],
    ['r3 = *(u64 *)(r9 + 0); r3 >>= 57; r2 = r3', 'nearRegion'],
    ['r3 = *(u64 *)(r9 + 0); r3 s>>= 58; r2 = r3', 'nearRegion'],
    ['r2 /= 67108864', 'proved'],
    ['w2 &= 7; w2 -= 8', 'nearRegion'],
    ['r2 &= 7; r2 -= 8; r2 += 8', 'proved'],
    ['r2 &= 63; r2 = (s8)r2', 'proved'],
    ['r2 &= 255; r2 = (s8)r2', 'nearRegion'],
  ])('%s: %s', (computed, way) => expect(lastWay(indexed(computed))).toBe(way));
});

describe('the frame keeps what is stored', () => {
  const spilled = (between: string): string =>
    `${VALUE}; ${NUMBER}; r2 &= 63; *(u64 *)(r10 - 8) = r2; ${between}; r2 = *(u64 *)(r10 - 8); r9 += r2; r0 = *(u8 *)(r9 + 0)`;

  test.each([
    ['r3 = 0', 'proved'],
    ['*(u64 *)(r10 - 16) = r1', 'proved'],
    ['*(u8 *)(r10 - 8) = 200', 'nearRegion'],
    ['r3 = r10; r3 += -15; *(u64 *)(r3 + 0) = 0', 'nearRegion'],
    ['r4 = *(u8 *)(r9 + 0); r4 &= 8; r3 = r10; r3 += -24; r3 += r4; *(u64 *)(r3 + 0) = 0', 'proved'],
    ['r4 = *(u8 *)(r9 + 0); r4 &= 16; r3 = r10; r3 += -24; r3 += r4; *(u64 *)(r3 + 0) = 0', 'nearRegion'],
    ['*(u64 *)(r9 + 0) = 0', 'proved'],
    ['r3 = *(u64 *)(r9 + 0); *(u8 *)(r3 + 0) = 0', 'nearRegion'],
    ['lock *(u64 *)(r10 - 8) += r3', 'nearRegion'],
    ['r1 = r10; r1 += -8; r2 = 8; call get_current_comm', 'nearRegion'],
    ['r1 = r10; r1 += -24; r2 = 16; call get_current_comm', 'proved'],
    ['r1 = r10; r1 += -24; r2 = 17; call get_current_comm', 'nearRegion'],
  ])('%s: %s', (between, way) => expect(lastWay(spilled(between))).toBe(way));
});

describe('a comparison with its end proves bytes of the packet', () => {
  const header = (condition: string, access: string): string =>
    `${PACKET}; r3 = r7; r3 += 14; if ${condition} goto out; r0 = ${access}; out:`;

  test.each([
    ['r3 > r8', '*(u16 *)(r7 + 12)', 'proved'],
    ['r3 > r8', '*(u16 *)(r7 + 13)', 'packet'],
    ['r3 >= r8', '*(u16 *)(r7 + 13)', 'proved'],
    ['r8 < r3', '*(u16 *)(r7 + 12)', 'proved'],
    ['r8 <= r3', '*(u8 *)(r7 + 14)', 'proved'],
    ['r3 <= r8', '*(u8 *)(r7 + 0)', 'packet'],
    ['r3 s> r8', '*(u8 *)(r7 + 0)', 'packet'],
    ['r3 > r8', '*(u8 *)(r3 - 1)', 'proved'],
    ['r3 > r8', '*(u8 *)(r3 - 15)', 'packet'],
  ])('out if %s, then %s: %s', (condition, access, way) => expect(lastWay(header(condition, access))).toBe(way));

  const variable = (before: string, access: string): string =>
    `${PACKET}; r2 = *(u32 *)(r1 + 12); r2 &= 60; r4 = r7; r4 += r2; ${before}; r3 = r4; r3 += 8; if r3 > r8 goto out; r0 = ${access}; out:`;

  test.each([
    ['r5 = 0', '*(u64 *)(r4 + 0)', 'proved'],
    ['r5 = 0', '*(u64 *)(r4 + 1)', 'packet'],
    ['r5 = 0', '*(u64 *)(r7 + 0)', 'proved'],
    ['r5 = r4', '*(u64 *)(r5 + 0)', 'proved'],
    ['r5 = r7; r5 += r2', '*(u64 *)(r5 + 0)', 'packet'],
  ])('behind a variable header, %s, %s: %s', (before, access, way) =>
    expect(lastWay(variable(before, access))).toBe(way),
  );

  test('loads of the pointers are then checked', () => {
    expect(factsOf(`${header('r3 > r8', '*(u16 *)(r7 + 12)')}; exit`).packetProof).toBe('read');
    expect(factsOf(`${header('r3 > r8', '*(u16 *)(r7 + 13)')}; exit`).packetProof).toBeUndefined();
  });
});

describe('loops that surely end soon are not counted', () => {
  const uncounted = (text: string): number => factsOf(`${text}\nr0 = 0\nexit`).uncounted.size;

  test.each([
    ['up to a constant', 'r2 = 0; a: r2 += 1; if r2 < 100 goto a', 1],
    ['in steps of a register', `${NUMBER}; r2 &= 7; r2 += 1; r3 = 0; a: r3 += r2; if r3 < 100 goto a`, 1],
    ['in steps that may be 0', `${NUMBER}; r2 &= 7; r3 = 0; a: r3 += r2; if r3 < 100 goto a`, 0],
    ['down to 0', 'w2 = 100; a: w2 += -1; if w2 != 0 goto a', 1],
    ['up to what is not met', 'w2 = 0; a: w2 += 3; if w2 != 100 goto a', 0],
    ['up to a bounded register', `${NUMBER}; r2 &= 63; r3 = 0; a: r3 += 1; if r3 < r2 goto a`, 1],
    ['with a test in the middle', 'r2 = 0; a: if r2 > 9 goto b; r2 += 1; goto a; b:', 1],
    ['with a step that may be skipped', `${NUMBER}; r3 = 0; a: if r2 == 7 goto b; r3 += 1; b: if r3 < 10 goto a`, 0],
    [
      'with a counter that is set anew',
      `${NUMBER}; r3 = 0; a: r3 += 1; if r2 != r3 goto b; r3 = 1; b: if r3 < 10 goto a`,
      0,
    ],
    ['of 100 in 100', 'r2 = 0; a: r3 = 0; b: r3 += 1; if r3 < 100 goto b; r2 += 1; if r2 < 100 goto a', 2],
    ['of 1000 in 1000', 'r2 = 0; a: r3 = 0; b: r3 += 1; if r3 < 1000 goto b; r2 += 1; if r2 < 1000 goto a', 1],
    ['of a million', 'r2 = 0; a: r2 += 1; if r2 < 1000000 goto a', 0],
  ])('%s', (_name, text, count) => expect(uncounted(text)).toBe(count));
});

test('pointers of a loop are proved by the bounds of its counter', () => {
  const loop = (end: number): string =>
    `r2 = 0; a: r3 = r10; r3 += -64; r3 += r2; *(u8 *)(r3 + 0) = 1; r2 += 1; if r2 < ${end} goto a`;
  expect(lastWay(loop(64))).toBe('proved');
  expect(lastWay(loop(65))).toBe('nearFrame');
});
