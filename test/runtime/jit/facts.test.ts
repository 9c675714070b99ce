import { describe, expect, it } from 'vitest';
import { BpfFuncId, BpfMapType, BpfPseudo } from '../../../src/base/index.js';
import {
  type BpfMap,
  type BpfRuntime,
  createInterpreter,
  createJit,
  describeJit,
  type Executable,
  type ProgramFacts,
} from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { fixture } from '../interp/support.js';

const NOTHING: ProgramFacts = { isProved: () => false, mapAt: () => undefined, loopBound: () => undefined };

/** Operations and operands of the entry function, up to where a run that cannot go on leaves. */
function code(executable: Executable, runtime: BpfRuntime, facts: Partial<ProgramFacts> = {}): string[] {
  const module = describeJit([{ ...executable, facts: { ...NOTHING, ...facts } }], runtime);
  const insns = module.functions[0]?.insns ?? [];
  const exit = insns.findIndex(({ origins }) => origins.some(({ text }) => text.startsWith('where a run')));
  return insns.slice(0, exit).map(({ operation, operands }) => [operation, ...operands].join(' '));
}

const count = (lines: readonly string[], text: string): number => lines.filter((line) => line.includes(text)).length;

describe('facts that an executable brings', () => {
  it('a proved access is not checked', () => {
    const { load, runtime } = fixture({ engine: createInterpreter() });
    const { executable } = load([isa.ldx(isa.BPF_DW, 2, 1, 0), isa.ldx(isa.BPF_DW, 0, 2, 8), isa.exit()]);
    const [checked, proved] = [
      code(executable, runtime),
      code(executable, runtime, { isProved: (slot) => slot === 1 }),
    ];
    expect(count(proved, 'i64.load')).toBeGreaterThan(0);
    expect(proved.length).toBeLessThan(checked.length);
    expect(count(proved, 'call_indirect')).toBe(0);
  });

  it('a loop with a bound is not counted', () => {
    const { load, runtime } = fixture({ engine: createInterpreter() });
    const { executable } = load([
      isa.mov64Imm(0, 0),
      isa.ldx(isa.BPF_DW, 2, 1, 0),
      isa.alu64Imm(isa.BPF_ADD, 0, 1),
      isa.jmpReg(isa.BPF_JLT, 0, 2, -2),
      isa.exit(),
    ]);
    expect(count(code(executable, runtime), 'local.tee $budget')).toBe(1);
    expect(count(code(executable, runtime, { loopBound: () => 100 }), 'local.tee $budget')).toBe(0);
  });

  it('a known map is looked up without leaving the module', () => {
    const { load, runtime } = fixture({ engine: createInterpreter() });
    const maps = [array(runtime), array(runtime)];
    const { executable } = load([...chooseMap(), isa.exit()], { maps });
    const known = code(executable, runtime, { mapAt: () => maps[0] });
    expect(count(code(executable, runtime), 'call_indirect')).toBe(1);
    expect(count(known, 'call_indirect')).toBe(0);
  });
});

describe('idioms', () => {
  const rotate = (alu: typeof isa.alu64Imm, width: number, by: number): isa.Insn[] => [
    isa.ldx(isa.BPF_DW, 1, 1, 0),
    isa.mov64Reg(2, 1),
    alu(isa.BPF_LSH, 1, by),
    alu(isa.BPF_RSH, 2, width - by),
    isa.alu64Reg(isa.BPF_OR, 1, 2),
    isa.mov64Reg(0, 1),
  ];

  it('a rotation is one instruction, with the interpreter’s result', () => {
    const insns = [...rotate(isa.alu64Imm, 64, 13), isa.exit()];
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => 17 * i + 129);
    const [interpreted, compiled] = [createInterpreter(), createJit()].map((engine) => {
      const { load, run } = fixture({ engine });
      return run(load(insns), bytes);
    });
    const { load, runtime } = fixture({ engine: createInterpreter() });
    expect(compiled).toBe(interpreted);
    expect(count(code(load(insns).executable, runtime), 'i64.rotl')).toBe(1);
  });

  it('a division by a constant has no test for zero', () => {
    const { load, runtime } = fixture({ engine: createInterpreter() });
    const divide = (by: isa.Insn): string[] =>
      code(load([isa.ldx(isa.BPF_DW, 0, 1, 0), isa.mov64Imm(2, 3), by, isa.exit()]).executable, runtime);
    const constant = divide(isa.alu64Imm(isa.BPF_DIV, 0, 7));
    const register = divide(isa.alu64Reg(isa.BPF_DIV, 0, 1));
    expect(count(constant, 'i64.div_u')).toBe(1);
    expect(constant.length).toBeLessThan(register.length);
  });
});

function array(runtime: BpfRuntime): BpfMap {
  return runtime.createMap({
    name: 'values',
    type: BpfMapType.BPF_MAP_TYPE_ARRAY,
    keySize: 4,
    valueSize: 8,
    maxEntries: 4,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
  });
}

/** A lookup in one of two maps, depending on the context: which, no analysis can tell. */
function chooseMap(): isa.Insn[] {
  const map = (index: bigint): readonly isa.Insn[] => isa.ldImm64(1, index, BpfPseudo.BPF_PSEUDO_MAP_FD);
  return [
    isa.ldx(isa.BPF_W, 3, 1, 0),
    isa.st(isa.BPF_W, 10, -4, 1),
    isa.mov64Reg(2, 10),
    isa.alu64Imm(isa.BPF_ADD, 2, -4),
    ...map(0n),
    isa.jmpImm(isa.BPF_JEQ, 3, 0, 2),
    ...map(1n),
    isa.call(BpfFuncId.BPF_FUNC_map_lookup_elem),
    isa.mov64Imm(0, 0),
  ];
}
