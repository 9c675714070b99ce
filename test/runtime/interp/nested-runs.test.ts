import { expect, it } from 'vitest';
import type { Helper, Insn } from '../../../src/runtime/index.js';
import { createHelperTable } from '../../../src/runtime/helper/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { type Fixture, fixture } from './support.js';

const { BPF_ADD, BPF_DW } = isa;
const INTERRUPT = 7;
const LOOP = 181;

/** Programs run while a helper of another run is at work: a hook that it has hit. */
function interruptible(): Fixture & { interrupt: () => void } {
  const hook = { interrupt: () => undefined as void };
  const helper: Helper = {
    id: INTERRUPT,
    name: 'interrupt',
    args: [],
    ret: 'integer',
    gplOnly: false,
    impl: () => {
      hook.interrupt();
      return 1;
    },
  };
  return Object.assign(hook, fixture({ helpers: new Map([...createHelperTable(), [INTERRUPT, helper]]) }));
}

const saved = [6, 7, 8, 9];

/** Fills r6 to r9 with `first` and what follows, is interrupted, and returns their sum and a constant. */
function summing(first: number, constant: number): Insn[] {
  return [
    ...saved.map((r) => isa.mov64Imm(r, first + r - 6)),
    isa.st(BPF_DW, 10, -8, constant),
    isa.call(INTERRUPT),
    ...saved.map((r) => isa.alu64Reg(BPF_ADD, 0, r)),
    isa.ldx(BPF_DW, 1, 10, -8),
    isa.alu64Reg(BPF_ADD, 0, 1),
    isa.alu64Imm(BPF_ADD, 0, constant),
    isa.exit(),
  ];
}

it('a run goes on with its registers, stack and constants after another program has run in it', () => {
  const fixed = interruptible();
  const inner = fixed.load(summing(1000, 77_000));
  const outer = fixed.load(summing(1, 500));
  const results: unknown[] = [];
  fixed.interrupt = () => {
    fixed.interrupt = () => undefined;
    results.push(fixed.run(inner));
  };
  results.push(fixed.run(outer));
  expect(results).toEqual([1 + 4006 + 154_000, 1 + 10 + 1000]);
});

it('a run goes on after the same program has run in it', () => {
  const fixed = interruptible();
  const program = fixed.load(summing(1, 500));
  const results: unknown[] = [];
  fixed.interrupt = () => {
    fixed.interrupt = () => undefined;
    results.push(fixed.run(program));
  };
  results.push(fixed.run(program));
  expect(results).toEqual([1011, 1011]);
});

it('a run goes on after a program that stopped', () => {
  const fixed = interruptible();
  const stopping = fixed.load([isa.mov64Imm(1, 0), isa.st(BPF_DW, 1, 0, 0), isa.mov64Imm(0, 0), isa.exit()]);
  const program = fixed.load(summing(1, 500));
  fixed.interrupt = () => {
    fixed.interrupt = () => undefined;
    expect(fixed.run(stopping)).toMatchObject({ pc: 1 });
  };
  expect(fixed.run(program)).toBe(1011);
});

it('a callback may be interrupted, too', () => {
  const fixed = interruptible();
  const inner = fixed.load(summing(1000, 77_000));
  const callback = [isa.mov64Imm(6, 5), isa.call(INTERRUPT), isa.mov64Imm(0, 0), isa.exit()];
  const main: Insn[] = [
    ...saved.map((r) => isa.mov64Imm(r, r)),
    isa.mov64Imm(1, 3),
    ...isa.ldImm64(2, 9n, 4),
    isa.mov64Imm(3, 0),
    isa.mov64Imm(4, 0),
    isa.call(LOOP),
    ...saved.map((r) => isa.alu64Reg(BPF_ADD, 0, r)),
    isa.exit(),
  ];
  const outer = fixed.load([main, callback]);
  let runs = 0;
  fixed.interrupt = () => {
    const { interrupt } = fixed;
    fixed.interrupt = () => undefined;
    fixed.run(inner);
    runs++;
    fixed.interrupt = interrupt;
  };
  expect(fixed.run(outer)).toBe(3 + 30);
  expect(runs).toBe(3);
});
