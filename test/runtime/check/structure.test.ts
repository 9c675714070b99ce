import { describe, expect, it } from 'vitest';
import { BpfProgType } from '../../../src/base/index.js';
import { checkProgram, type Insn, type ProgramInput } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { readGolden, recording } from '../../oracle/golden.js';

/** What makes a program a checked one, with Linux's words where it is not; check-program.test.ts has every case. */
const rows: readonly (readonly [property: string, program: readonly Insn[], verdict: string])[] = [
  ['encodings', [isa.insn(0xff), isa.exit()], 'unknown opcode ff'],
  ['reserved fields', [isa.insn(isa.BPF_ALU64 | isa.BPF_ADD, 0, 3, 0, 1), isa.exit()], 'BPF_ALU uses reserved fields'],
  ['registers', [isa.mov64Imm(11, 0), isa.exit()], 'R11 is invalid'],
  ['64-bit immediates', [isa.ldImm64(1, 0n)[0], isa.exit(), isa.exit()], 'invalid bpf_ld_imm64 insn'],
  ['jumps', [isa.ja(100), isa.exit()], 'jump out of range from insn 0 to 101'],
  ['calls', [isa.callSubprog(100), isa.exit()], 'call to invalid destination'],
  ['recursion', [isa.callSubprog(-1), isa.exit()], 'the call stack of 9 frames is too deep'],
  ['reachability', [isa.ja(1), isa.mov64Imm(0, 0), isa.exit()], 'unreachable insn 1'],
  [
    'subprogram bounds',
    [isa.callSubprog(2), isa.mov64Imm(0, 0), isa.exit(), isa.ja(-3), isa.exit()],
    'jump out of range from insn 3 to 1',
  ],
  ['the end of a subprogram', [isa.callSubprog(1), isa.exit(), isa.mov64Imm(0, 0)], 'last insn is not an exit or jmp'],
];

const input = (insns: readonly Insn[]): ProgramInput => ({
  name: 'test',
  type: BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
  expectedAttachType: 0,
  license: 'GPL',
  insns,
  maps: [],
});

describe('a CheckedProgram is sound in', () => {
  it.each(rows)('%s', (_property, program, verdict) => {
    expect(() => checkProgram(input(program))).toThrow(expect.objectContaining({ verdict }));
  });

  it.skipIf(recording())('ways for which these are the words of Linux', () => {
    const golden = readGolden(new URL('../../testdata/check/refusals.txt', import.meta.url));
    const words = new Set(golden.lines.map((line) => line.split('\t')[2]));
    expect(rows.map(([, , verdict]) => verdict).filter((verdict) => !words.has(verdict))).toEqual([]);
  });
});
