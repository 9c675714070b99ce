import { describe, expect, it } from 'vitest';
import { arm64, type PtRegsLayout, x86_64 } from '../../src/arch/index.js';
import type { BtfFuncProto, BtfType } from '../../src/btf/index.js';
import { functionModel } from '../../src/kprobe/trampoline/function-model.js';

const LONG = 1;
const PAIR = 2;
const LARGE = 3;
const FLOAT = 4;

const types: Readonly<Record<number, BtfType>> = {
  0: { kind: 'void', id: 0, name: 'void' },
  [LONG]: {
    kind: 'int',
    id: LONG,
    name: 'long',
    size: 8,
    bits: 64,
    bitOffset: 0,
    signed: true,
    char: false,
    bool: false,
  },
  [PAIR]: { kind: 'struct', id: PAIR, name: 'pair', size: 16, members: [] },
  [LARGE]: { kind: 'struct', id: LARGE, name: 'large', size: 24, members: [] },
  [FLOAT]: { kind: 'float', id: FLOAT, name: 'double', size: 8 },
};

function model(params: readonly number[], layout: PtRegsLayout = x86_64.ptRegs, returnType = LONG): unknown {
  const proto: BtfFuncProto = {
    kind: 'func_proto',
    id: 9,
    name: '',
    returnType,
    params: params.map((type, i) => ({ name: `p${i}`, type })),
  };
  const btf = {
    prototypeOf: (name: string) => (name === 'fn' ? proto : undefined),
    resolve: (id: number) => types[id],
  };
  return functionModel(btf, 'fn', layout).words.map((word) =>
    'slot' in word ? layout.names[word.slot] : `stack ${word.stack}`,
  );
}

describe('where the arguments of a function are at its entry', () => {
  it.each([
    ['none', [], []],
    [
      'registers first, then the stack above the return address',
      Array(8).fill(LONG),
      ['di', 'si', 'dx', 'cx', 'r8', 'r9', 'stack 1', 'stack 2'],
    ],
    ['a struct in two registers', [LONG, PAIR, LONG], ['di', 'si', 'dx', 'cx']],
    [
      'a struct for which one register is left goes to the stack, what follows may take the register',
      [LONG, LONG, LONG, LONG, LONG, PAIR, LONG],
      ['di', 'si', 'dx', 'cx', 'r8', 'stack 1', 'stack 2', 'r9'],
    ],
  ] as const)('%s', (_name, params, words) => {
    expect(model(params)).toEqual(words);
  });

  it.each([
    ['variadic functions', [LONG, 0], LONG, /EINVAL; variadic/],
    ['large structs', [LARGE], LONG, /struct large.*EINVAL/],
    ['floating point', [FLOAT], LONG, /float double.*EINVAL/],
    ['more than twelve words', [PAIR, PAIR, PAIR, PAIR, PAIR, PAIR, LONG], LONG, /13.*EINVAL; at most 12/],
    ['structs as results', [], PAIR, /struct pair.*EINVAL/],
  ] as const)('%s are refused', (_name, params, returnType, message) => {
    expect(() => model(params, x86_64.ptRegs, returnType)).toThrow(message);
  });

  it('on arm64 the stack is not looked at', () => {
    expect(() => model(Array(9).fill(LONG), arm64.ptRegs)).toThrow(/EINVAL/);
    expect(model(Array(8).fill(LONG), arm64.ptRegs)).toHaveLength(8);
  });
});
