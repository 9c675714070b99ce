import { describe, expect, it, test } from 'vitest';
import { BpfProgType, errnoName } from '../../../src/base/index.js';
import { CheckError, checkProgram, encodeInsns, type Insn } from '../../../src/runtime/index.js';
import * as isa from '../../../src/runtime/isa/index.js';
import { describeWithLinux } from '../../oracle/linux.js';

const { BPF_ADD, BPF_B } = isa;
const T = BpfProgType;

/** Functions that call one another in a chain, each using so many bytes of stack. */
function chain(depths: readonly number[]): Insn[] {
  return depths.flatMap((depth, i) => {
    const use = depth === 0 ? [] : [isa.st(BPF_B, 10, -depth, 0)];
    const call = i + 1 < depths.length ? [isa.callSubprog(2)] : [isa.mov64Imm(0, 0)];
    return [...use, ...call, isa.mov64Imm(0, 0), isa.exit()];
  });
}

const cases: readonly (readonly [number, readonly number[], string])[] = [
  [T.BPF_PROG_TYPE_XDP, [512], 'ok'],
  [T.BPF_PROG_TYPE_XDP, [400, 400], 'combined stack size of 2 calls is 800. Too large'],
  [T.BPF_PROG_TYPE_XDP, [256, 256], 'ok'],
  [T.BPF_PROG_TYPE_XDP, [256, 257], 'combined stack size of 2 calls is 528. Too large'],
  [T.BPF_PROG_TYPE_XDP, [200, 200, 200], 'combined stack size of 3 calls is 624. Too large'],
  [T.BPF_PROG_TYPE_XDP, [480, 0, 0, 0], 'ok'],
  [T.BPF_PROG_TYPE_XDP, [480, 1, 1, 1], 'combined stack size of 4 calls is 528. Too large'],
  [T.BPF_PROG_TYPE_SOCKET_FILTER, [400, 400], 'combined stack size of 2 calls is 800. Too large'],
  [T.BPF_PROG_TYPE_KPROBE, [400, 400], 'ok'],
  [T.BPF_PROG_TYPE_TRACEPOINT, [400, 400, 400], 'ok'],
  [T.BPF_PROG_TYPE_PERF_EVENT, [512, 512], 'ok'],
  [T.BPF_PROG_TYPE_RAW_TRACEPOINT, [512, 48, 48, 48], 'ok'],
];

function ourAnswer(type: number, insns: readonly Insn[]): string {
  try {
    checkProgram({ name: 'test', type, expectedAttachType: 0, license: 'GPL', insns, maps: [] });
    return 'ok';
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    expect(error.code).toBe('EACCES');
    return error.verdict;
  }
}

describe('stack of nested calls', () => {
  test.each(cases)('of type %i, frames %j: %s', (type, depths, answer) => {
    expect(ourAnswer(type, chain(depths))).toBe(answer);
  });

  it('counts what is reached through copies of r10', () => {
    const insns = [isa.mov64Reg(2, 10), isa.alu64Imm(BPF_ADD, 2, -300), isa.st(BPF_B, 2, -100, 0), isa.callSubprog(2)];
    const callee = [isa.st(BPF_B, 10, -400, 0), isa.mov64Imm(0, 0), isa.exit()];
    const program = [...insns, isa.mov64Imm(0, 0), isa.exit(), ...callee];
    expect(ourAnswer(T.BPF_PROG_TYPE_XDP, program)).toBe('combined stack size of 2 calls is 800. Too large');
  });
});

describeWithLinux('stack of nested calls', (linux) => {
  it('is judged as the kernel that runs here does', async () => {
    for (const [type, depths] of cases) {
      const insns = chain(depths);
      const slot = linux.slot();
      const { result, log } = await linux.progLoad(slot, { type, insns: encodeInsns(insns), logLevel: 1 });
      await linux.close(slot);
      const verdict = /(combined stack size|stack size of subprog).*/.exec(log)?.[0] ?? errnoName(result) ?? 'ok';
      expect(`${type} ${depths.join()}: ${ourAnswer(type, insns)}`).toBe(`${type} ${depths.join()}: ${verdict}`);
    }
  });
});
