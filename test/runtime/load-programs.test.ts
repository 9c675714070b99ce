import { describe, expect, it, test } from 'vitest';
import { BpfFuncId, BpfPseudo, BpfProgType } from '../../src/base/index.js';
import {
  type BpfProgram,
  BpfRuntime,
  createInterpreter,
  createJit,
  type Insn,
  type ProgramInput,
} from '../../src/runtime/index.js';
import * as isa from '../../src/runtime/isa/index.js';
import { TestHost } from '../support/test-host.js';

const ENGINES = [createInterpreter, createJit];
const { BPF_FUNC_loop, BPF_FUNC_get_prandom_u32, BPF_FUNC_trace_printk } = BpfFuncId;

function input(name: string, ...insns: readonly (Insn | readonly Insn[])[]): ProgramInput {
  const type = BpfProgType.BPF_PROG_TYPE_RAW_TRACEPOINT;
  return { name, type, expectedAttachType: 0, license: 'GPL', maps: [], insns: insns.flat() };
}

const answers = (name: string, value: number): ProgramInput => input(name, isa.mov64Imm(0, value), isa.exit());
const readsNull = (name: string): ProgramInput =>
  input(name, isa.mov64Imm(1, 0), isa.ldx(isa.BPF_DW, 0, 1, 0), isa.exit());
/** Calls back `rounds` times; each callback adds 1 to the number that r2 of bpf_loop's callback points to. */
const callsBack = (name: string, rounds: number): ProgramInput =>
  input(
    name,
    isa.st(isa.BPF_DW, 10, -8, 0),
    isa.mov64Imm(1, rounds),
    isa.ldImm64(2, 7n, BpfPseudo.BPF_PSEUDO_FUNC),
    isa.mov64Reg(3, 10),
    isa.alu64Imm(isa.BPF_ADD, 3, -8),
    isa.mov64Imm(4, 0),
    isa.call(BPF_FUNC_loop),
    isa.ldx(isa.BPF_DW, 0, 10, -8),
    isa.exit(),
    isa.ldx(isa.BPF_DW, 3, 2, 0),
    isa.alu64Imm(isa.BPF_ADD, 3, 1),
    isa.stx(isa.BPF_DW, 2, 3, 0),
    isa.mov64Imm(0, 0),
    isa.exit(),
  );

function retval(runtime: BpfRuntime, program: BpfProgram): number {
  return runtime.testRun(program, { ctxIn: new Uint8Array(64) }).retval;
}

describe.each(ENGINES)('programs of one object, %o', (engine) => {
  const fresh = (): BpfRuntime => new BpfRuntime(new TestHost(), { engine: engine() });

  it('each do what they do alone', () => {
    const runtime = fresh();
    const inputs = [answers('one', 1), callsBack('many', 5), answers('two', 2), callsBack('few', 3)];
    const programs = runtime.loadPrograms(inputs);
    expect(programs.map(({ name }) => name)).toEqual(['one', 'many', 'two', 'few']);
    expect(programs.map((program) => retval(runtime, program))).toEqual([1, 5, 2, 3]);
  });

  it('stop with their own names', () => {
    const runtime = fresh();
    const [, wrong] = runtime.loadPrograms([answers('right', 1), readsNull('wrong')]);
    expect(() => retval(runtime, wrong)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ program: 'wrong' }) }),
    );
  });

  it('go one by one', () => {
    const runtime = fresh();
    const [first, second] = runtime.loadPrograms([answers('first', 1), callsBack('second', 4)]) as [
      BpfProgram,
      BpfProgram,
    ];
    first.release();
    expect([...runtime.programs]).toEqual([second]);
    expect(retval(runtime, second)).toBe(4);
    const again = runtime.loadProgram(answers('again', 7));
    expect([retval(runtime, second), retval(runtime, again)]).toEqual([4, 7]);
  });

  it('are all refused with the one that is wrong, which the error names, and leave no memory behind', () => {
    const runtime = fresh();
    const used = runtime.memory.used;
    const broken = input('broken', isa.mov64Imm(0, 0));
    expect(() => runtime.loadPrograms([answers('fine', 1), broken])).toThrow(/program broken/);
    const typed = input('typed', isa.ldImm64(1, 5n, BpfPseudo.BPF_PSEUDO_BTF_ID), isa.mov64Imm(0, 0), isa.exit());
    expect(() => runtime.loadPrograms([answers('fine', 1), typed])).toThrow(/typed kernel symbol/);
    expect([...runtime.programs]).toEqual([]);
    expect(runtime.memory.used).toBe(used);
  });

  test('may be none', () => {
    expect(fresh().loadPrograms([])).toEqual([]);
  });
});

test.each(ENGINES)('a program that is released while it runs runs to its end, %o', (engine) => {
  const runtime = new BpfRuntime(new TestHost(), { engine: engine() });
  const printed: string[] = [];
  const print = [
    isa.mov64Reg(1, 10),
    isa.alu64Imm(isa.BPF_ADD, 1, -8),
    isa.mov64Imm(2, 2),
    isa.call(BPF_FUNC_trace_printk),
  ];
  const program = runtime.loadProgram(
    input('printer', isa.st(isa.BPF_DW, 10, -8, 0x41), print, print, isa.mov64Imm(0, 7), isa.exit()),
  );
  runtime.tracePrintk = (line) => {
    if (printed.push(line) === 1) program.release();
  };
  expect(retval(runtime, program)).toBe(7);
  expect(printed).toEqual(['A', 'A']);
});

test('a compiled program that was released says so', () => {
  const runtime = new BpfRuntime(new TestHost(), { engine: createJit() });
  const program = runtime.loadProgram(input('gone', isa.call(BPF_FUNC_get_prandom_u32), isa.exit()));
  program.release();
  expect(() => retval(runtime, program)).toThrow(/was released/);
});
