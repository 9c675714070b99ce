import { describe, expect, it } from 'vitest';
import {
  arm64,
  arm64PtRegs,
  Arm64Pstate,
  classifyArm64,
  PtRegs,
  type Arm64InsnClass,
  type InsnMemory,
  type ProbePlan,
} from '../../../src/arch/index.js';

const ADDRESS = 0xffff_8000_0801_0000n;
const { probing, returns } = arm64;

function bytesOf(...words: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, Number.parseInt(word, 16), true));
  return bytes;
}

function planOf(word: string, context?: Parameters<typeof probing.plan>[2]): ProbePlan {
  return probing.plan(bytesOf(word), ADDRESS, context);
}

/** Text, word (as LLVM 19 assembles it), class, and what a probe does. */
const ROWS: readonly [text: string, word: string, cls: Arm64InsnClass, plan: ProbePlan['kind']][] = [
  ['b .+8', '14000002', 'branch', 'simulate'],
  ['bl .-4', '97ffffff', 'call', 'simulate'],
  ['b.eq .+8', '54000040', 'branch-conditional', 'simulate'],
  ['b.ne .-8', '54ffffc1', 'branch-conditional', 'simulate'],
  ['bc.eq .+8', '54000050', 'branch-conditional', 'simulate'],
  ['cbz x0, .+8', 'b4000040', 'compare-branch', 'simulate'],
  ['cbnz w1, .-8', '35ffffc1', 'compare-branch', 'simulate'],
  ['tbz x2, #40, .+8', 'b6400042', 'test-branch', 'simulate'],
  ['tbnz w3, #5, .-8', '372fffc3', 'test-branch', 'simulate'],
  ['br x16', 'd61f0200', 'branch-register', 'simulate'],
  ['blr x8', 'd63f0100', 'call-register', 'simulate'],
  ['ret', 'd65f03c0', 'return', 'simulate'],
  ['ret x5', 'd65f00a0', 'return', 'simulate'],
  ['adr x0, .+9', '30000040', 'pc-relative-address', 'simulate'],
  ['adrp x1, .', '90000001', 'pc-relative-address', 'simulate'],
  ['ldr x0, .+16', '58000080', 'load-literal', 'simulate'],
  ['ldr w0, .+16', '18000080', 'load-literal', 'simulate'],
  ['ldrsw x0, .+16', '98000080', 'load-literal-signed', 'simulate'],
  ['nop', 'd503201f', 'nop', 'simulate'],
  ['bti c', 'd503245f', 'bti', 'simulate'],
  ['bti', 'd503241f', 'bti', 'simulate'],
  ['bti j', 'd503249f', 'bti', 'simulate'],
  ['bti jc', 'd50324df', 'bti', 'simulate'],
  ['mov x9, x30', 'aa1e03e9', 'logical-shifted', 'simulate'],
  ['mov w0, w1', '2a0103e0', 'logical-shifted', 'simulate'],
  ['mov sp, x0', '9100001f', 'add-sub-immediate', 'slot'],
  ['mov x29, sp', '910003fd', 'add-sub-immediate', 'simulate'],
  ['orr x0, x1, x2, lsl #3', 'aa020c20', 'logical-shifted', 'simulate'],
  ['bics w0, w1, w2, ror #7', '6ae21c20', 'logical-shifted', 'simulate'],
  ['tst x0, x1', 'ea01001f', 'logical-shifted', 'simulate'],
  ['mvn x0, x1', 'aa2103e0', 'logical-shifted', 'simulate'],
  ['add x0, x1, #16', '91004020', 'add-sub-immediate', 'simulate'],
  ['add x0, x1, #16, lsl #12', '91404020', 'add-sub-immediate', 'simulate'],
  ['cmp x0, #1', 'f100041f', 'add-sub-immediate', 'simulate'],
  ['cmn w0, #1', '3100041f', 'add-sub-immediate', 'simulate'],
  ['subs x0, x1, #4', 'f1001020', 'add-sub-immediate', 'simulate'],
  ['sub sp, sp, #32', 'd10083ff', 'add-sub-immediate', 'slot'],
  ['add x0, x1, x2, lsl #3', '8b020c20', 'add-sub-shifted', 'simulate'],
  ['subs w0, w1, w2, asr #4', '6b821020', 'add-sub-shifted', 'simulate'],
  ['cmp x1, x2', 'eb02003f', 'add-sub-shifted', 'simulate'],
  ['neg x0, x1', 'cb0103e0', 'add-sub-shifted', 'simulate'],
  ['mov x0, #0x1234', 'd2824680', 'move-wide', 'simulate'],
  ['mov x0, #-2', '92800020', 'move-wide', 'simulate'],
  ['movk x0, #1, lsl #48', 'f2e00020', 'move-wide', 'simulate'],
  ['ldr x0, [x1, #8]', 'f9400420', 'load-store-immediate', 'simulate'],
  ['ldrb w0, [x1]', '39400020', 'load-store-immediate', 'simulate'],
  ['ldrsw x0, [x1, #4]', 'b9800420', 'load-store-immediate', 'simulate'],
  ['ldrsh w0, [x1, #-2]', '78dfe020', 'load-store-immediate', 'simulate'],
  ['ldr x0, [x1], #8', 'f8408420', 'load-store-immediate', 'simulate'],
  ['str x0, [x1, #8]!', 'f8008c20', 'load-store-immediate', 'simulate'],
  ['stur w0, [x1, #-4]', 'b81fc020', 'load-store-immediate', 'simulate'],
  ['str x19, [sp, #16]', 'f9000bf3', 'load-store-immediate', 'simulate'],
  ['str x19, [sp, #-8]', 'f81f83f3', 'load-store-immediate', 'slot'],
  ['str x19, [sp, #-16]!', 'f81f0ff3', 'load-store-immediate', 'slot'],
  ['prfm pldl1keep, [x0]', 'f9800000', 'load-store-immediate', 'simulate'],
  ['prfum pldl1keep, [x0, #-8]', 'f89f8000', 'load-store-immediate', 'simulate'],
  ['ldp x0, x1, [x2, #16]', 'a9410440', 'load-store-pair', 'simulate'],
  ['stp x29, x30, [sp, #16]', 'a9017bfd', 'load-store-pair', 'simulate'],
  ['stp x29, x30, [sp, #-32]!', 'a9be7bfd', 'load-store-pair', 'slot'],
  ['ldp x29, x30, [sp], #32', 'a8c27bfd', 'load-store-pair', 'slot'],
  ['ldpsw x0, x1, [x2]', '69400440', 'load-store-pair', 'simulate'],
  ['ldnp x0, x1, [x2]', 'a8400440', 'load-store-pair', 'simulate'],
  ['ldr x1, [x1], #8', 'f8408421', 'load-store-immediate', 'slot'],
  ['str x1, [x1, #8]!', 'f8008c21', 'load-store-immediate', 'slot'],
  ['stp x1, x2, [x1, #16]!', 'a9810821', 'load-store-pair', 'slot'],
  ['ldp x0, x0, [x1]', 'a9400020', 'load-store-pair', 'slot'],
  ['paciasp', 'd503233f', 'sign', 'slot'],
  ['pacibsp', 'd503237f', 'sign', 'slot'],
  ['paciaz', 'd503231f', 'sign', 'slot'],
  ['pacia1716', 'd503211f', 'sign', 'slot'],
  ['xpaclri', 'd50320ff', 'sign', 'slot'],
  ['and x0, x0, #0xff', '92401c00', 'other', 'slot'],
  ['ubfx x0, x1, #3, #4', 'd3431820', 'other', 'slot'],
  ['csel x0, x1, x2, eq', '9a820020', 'other', 'slot'],
  ['madd x0, x1, x2, x3', '9b020c20', 'other', 'slot'],
  ['add x0, sp, x1', '8b2163e0', 'other', 'slot'],
  ['add x0, x1, w2, uxtw', '8b224020', 'other', 'slot'],
  ['ldr x0, [x1, x2, lsl #3]', 'f8627820', 'other', 'slot'],
  ['ldtr x0, [x1]', 'f8400820', 'other', 'slot'],
  ['ldr q0, [x1]', '3dc00020', 'other', 'slot'],
  ['stp q0, q1, [sp, #-32]!', 'adbf07e0', 'other', 'slot'],
  ['ldp d0, d1, [sp]', '6d4007e0', 'other', 'slot'],
  ['mrs x0, sp_el0', 'd5384100', 'mrs', 'slot'],
  ['mrs x0, tpidr_el1', 'd538d080', 'mrs', 'slot'],
  ['isb', 'd5033fdf', 'system', 'slot'],
  ['dsb sy', 'd5033f9f', 'system', 'slot'],
  ['dmb ish', 'd5033bbf', 'system', 'slot'],
  ['sb', 'd50330ff', 'system', 'slot'],
  ['clrex', 'd5033f5f', 'system', 'slot'],
  ['dc civac, x0', 'd50b7e20', 'system', 'slot'],
  ['tlbi vmalle1is', 'd508831f', 'system', 'slot'],
  ['ldar x0, [x1]', 'c8dffc20', 'other', 'slot'],
  ['stlr x0, [x1]', 'c89ffc20', 'other', 'slot'],
  ['ldadd x0, x1, [x2]', 'f8200041', 'other', 'slot'],
  ['cas x0, x1, [x2]', 'c8a07c41', 'other', 'slot'],
  ['fadd d0, d1, d2', '1e622820', 'other', 'slot'],
  ['stgp x0, x1, [x2]', '69000440', 'load-store-pair', 'slot'],
  ['ldraa x0, [x1]', 'f8200420', 'other', 'slot'],
  ['wfet x0', 'd5031000', 'system', 'slot'],
  ['brk #0', 'd4200000', 'breakpoint', 'refuse'],
  ['brk #0x800', 'd4210000', 'breakpoint', 'refuse'],
  ['brk #4', 'd4200080', 'breakpoint', 'refuse'],
  ['svc #0', 'd4000001', 'exception', 'refuse'],
  ['hvc #0', 'd4000002', 'exception', 'refuse'],
  ['smc #0', 'd4000003', 'exception', 'refuse'],
  ['hlt #0', 'd4400000', 'exception', 'refuse'],
  ['dcps1', 'd4a00001', 'exception', 'refuse'],
  ['dcps2', 'd4a00002', 'exception', 'refuse'],
  ['dcps3', 'd4a00003', 'exception', 'refuse'],
  ['eret', 'd69f03e0', 'exception-return', 'refuse'],
  ['eretaa', 'd69f0bff', 'exception-return', 'refuse'],
  ['eretab', 'd69f0fff', 'exception-return', 'refuse'],
  ['drps', 'd6bf03e0', 'exception-return', 'refuse'],
  ['braa x0, x1', 'd71f0801', 'branch-authenticated', 'refuse'],
  ['braaz x0', 'd61f081f', 'branch-authenticated', 'refuse'],
  ['brab x0, x1', 'd71f0c01', 'branch-authenticated', 'refuse'],
  ['brabz x0', 'd61f0c1f', 'branch-authenticated', 'refuse'],
  ['blraa x0, x1', 'd73f0801', 'branch-authenticated', 'refuse'],
  ['blraaz x0', 'd63f081f', 'branch-authenticated', 'refuse'],
  ['blrab x0, x1', 'd73f0c01', 'branch-authenticated', 'refuse'],
  ['blrabz x0', 'd63f0c1f', 'branch-authenticated', 'refuse'],
  ['retaa', 'd65f0bff', 'branch-authenticated', 'refuse'],
  ['retab', 'd65f0fff', 'branch-authenticated', 'refuse'],
  ['yield', 'd503203f', 'hint', 'refuse'],
  ['wfe', 'd503205f', 'hint', 'refuse'],
  ['wfi', 'd503207f', 'hint', 'refuse'],
  ['sev', 'd503209f', 'hint', 'refuse'],
  ['sevl', 'd50320bf', 'hint', 'refuse'],
  ['dgh', 'd50320df', 'hint', 'refuse'],
  ['esb', 'd503221f', 'hint', 'refuse'],
  ['psb csync', 'd503223f', 'hint', 'refuse'],
  ['tsb csync', 'd503225f', 'hint', 'refuse'],
  ['csdb', 'd503229f', 'hint', 'refuse'],
  ['autiasp', 'd50323bf', 'hint', 'refuse'],
  ['autibsp', 'd50323ff', 'hint', 'refuse'],
  ['autiaz', 'd503239f', 'hint', 'refuse'],
  ['autibz', 'd50323df', 'hint', 'refuse'],
  ['autia1716', 'd503219f', 'hint', 'refuse'],
  ['autib1716', 'd50321df', 'hint', 'refuse'],
  ['hint #40', 'd503251f', 'hint', 'refuse'],
  ['msr daifset, #2', 'd50342df', 'msr-immediate', 'refuse'],
  ['msr daifclr, #2', 'd50342ff', 'msr-immediate', 'refuse'],
  ['msr spsel, #1', 'd50041bf', 'msr-immediate', 'refuse'],
  ['msr pan, #1', 'd500419f', 'msr-immediate', 'refuse'],
  ['cfinv', 'd500401f', 'msr-immediate', 'refuse'],
  ['axflag', 'd500405f', 'msr-immediate', 'refuse'],
  ['msr daif, x0', 'd51b4220', 'msr', 'refuse'],
  ['msr sp_el0, x0', 'd5184100', 'msr', 'refuse'],
  ['msr elr_el1, x0', 'd5184020', 'msr', 'refuse'],
  ['mrs x0, daif', 'd53b4220', 'mrs-daif', 'refuse'],
  ['prfm pldl1keep, .+16', 'd8000080', 'prefetch-literal', 'refuse'],
  ['ldr q0, .+16', '9c000080', 'load-literal-simd', 'refuse'],
  ['ldr d0, .+16', '5c000080', 'load-literal-simd', 'refuse'],
  ['ldr s0, .+16', '1c000080', 'load-literal-simd', 'refuse'],
  ['ldxr x0, [x1]', 'c85f7c20', 'load-exclusive', 'refuse'],
  ['ldxrb w0, [x1]', '085f7c20', 'load-exclusive', 'refuse'],
  ['ldaxr w0, [x1]', '885ffc20', 'load-exclusive', 'refuse'],
  ['ldxp x0, x1, [x2]', 'c87f0440', 'load-exclusive', 'refuse'],
  ['ldaxp x0, x1, [x2]', 'c87f8440', 'load-exclusive', 'refuse'],
  ['stxr w0, x1, [x2]', 'c8007c41', 'store-exclusive', 'refuse'],
  ['stlxrh w0, w1, [x2]', '4800fc41', 'store-exclusive', 'refuse'],
  ['stxp w0, x1, x2, [x3]', 'c8200861', 'store-exclusive', 'refuse'],
  ['stlxp w0, x1, x2, [x3]', 'c8208861', 'store-exclusive', 'refuse'],
  ['casp x0, x1, x2, x3, [x4]', '48207c82', 'store-exclusive', 'refuse'],
  ['caspa x0, x1, x2, x3, [x4]', '48607c82', 'load-exclusive', 'refuse'],
  ['cpyp [x0]!, [x1]!, x2!', '1d010440', 'memory-copy', 'refuse'],
  ['cpyfm [x0]!, [x1]!, x2!', '19410440', 'memory-copy', 'refuse'],
  ['setp [x0]!, x1!, x2', '19c20420', 'memory-copy', 'refuse'],
  ['setge [x0]!, x1!, x2', '1dc28420', 'memory-copy', 'refuse'],
  ['tstart x0', 'd5233060', 'branch-or-system', 'refuse'],
  ['tcommit', 'd503307f', 'system', 'slot'],
  ['tcancel #1', 'd4600020', 'exception', 'refuse'],
  ['autiasppc .', 'f3800000', 'sign-pc', 'refuse'],
  ['paciasppc', 'dac1a3fe', 'sign-pc', 'refuse'],
  ['cbgt w0, w0, .', '74000000', 'branch-or-system', 'refuse'],
  ['sysp', 'd5480000', 'branch-or-system', 'refuse'],
  ['msrr', 'd5500000', 'branch-or-system', 'refuse'],
  ['udf #0', '00000000', 'undefined', 'refuse'],
  ['no instruction', '02000000', 'undefined', 'refuse'],
  ['no instruction', '06000000', 'undefined', 'refuse'],
];

const memory: InsnMemory = { read: () => false, write: () => false };

describe('what happens to the instruction under a probe', () => {
  it.each(ROWS)('%s (%s): %s, %s', (_text, word, cls, kind) => {
    const plan = planOf(word);
    expect(classifyArm64(Number.parseInt(word, 16))).toBe(cls);
    expect(plan.kind).toBe(kind);
    expect(plan.length).toBe(4);
    if (plan.kind === 'refuse') expect([plan.errno, plan.reason.length > 20]).toEqual(['EINVAL', true]);
    if (plan.kind === 'slot') expect(plan.relocate(0x1000n)).toEqual(bytesOf(word));
  });

  it('is refused where an instruction is cut short', () => {
    const plan = probing.plan(Uint8Array.of(0x1f, 0x20, 0x03), ADDRESS);
    expect(plan).toEqual({
      kind: 'refuse',
      length: 0,
      errno: 'EINVAL',
      reason: 'the bytes here are half an instruction',
    });
  });

  it.each([
    ['sub sp, sp, #32', 'd10083ff'],
    ['mov sp, x0', '9100001f'],
    ['str x19, [sp, #-8]', 'f81f83f3'],
    ['str x19, [sp, #-16]!', 'f81f0ff3'],
    ['stp x29, x30, [sp, #-32]!', 'a9be7bfd'],
    ['ldp x29, x30, [sp], #32', 'a8c27bfd'],
  ])('%s is simulated only where the stack below a trap is free', (_text, word) => {
    const before = new Uint8Array();
    expect(planOf(word).kind).toBe('slot');
    expect(planOf(word, { before, restoresStackPointer: false }).kind).toBe('slot');
    expect(planOf(word, { before, restoresStackPointer: true }).kind).toBe('simulate');
  });
});

describe('an exclusive sequence', () => {
  const NOP = 'd503201f';
  const LDXR = 'c85f7c20';
  const LDAXRB = '085ffc20';
  const STLXR = 'c800fc41';
  const LDAR = 'c8dffc20';
  const STLR = 'c89ffc20';
  const ADD = '91000400';
  const nops = (count: number): string[] => Array.from({ length: count }, () => NOP);

  it.each<[string, string[], ProbePlan['kind']]>([
    ['begins behind the load', [LDXR], 'refuse'],
    ['goes on', [LDAXRB, ADD, ADD], 'refuse'],
    ['ends with the store', [LDXR, ADD, STLXR], 'simulate'],
    ['may begin anew', [STLXR, ADD, LDXR], 'refuse'],
    ['does not begin with ldar', [LDAR], 'simulate'],
    ['does not end with stlr', [LDXR, STLR], 'refuse'],
    ['is looked for 32 instructions back', [LDXR, ...nops(31)], 'refuse'],
    ['is not looked for further back', [LDXR, ...nops(32)], 'simulate'],
    ['is not there in a function that begins here', [], 'simulate'],
  ])('%s', (_name, before, kind) => {
    const plan = planOf(ADD, { before: bytesOf(...before) });
    expect(plan.kind).toBe(kind);
    if (plan.kind === 'refuse')
      expect([plan.errno, plan.reason]).toEqual(['EINVAL', expect.stringContaining('load-exclusive')]);
  });

  it('is known to those who read 128 bytes before a probe', () => {
    expect(probing.contextSize).toBe(128);
  });
});

describe('an instruction with an entry in the exception table', () => {
  it('is refused, whatever it is', () => {
    const refusal = { kind: 'refuse', errno: 'EINVAL', reason: expect.stringContaining('exception table') as string };
    for (const [, word] of ROWS)
      expect(planOf(word, { before: bytesOf(), hasFixup: () => true })).toMatchObject(refusal);
  });
});

describe('a simulation', () => {
  it.each(ROWS.filter(([, , , kind]) => kind === 'simulate'))(
    'of %s leaves a fault or BTYPE 0 behind',
    (_text, word) => {
      const plan = planOf(word);
      if (plan.kind !== 'simulate') throw new Error(plan.kind);
      const regs = new PtRegs(arm64PtRegs);
      regs.put(33, 0x8000_0c05n);
      const before = regs.words.slice();
      if (plan.simulate(regs, memory)) expect(regs.lo(33) & Arm64Pstate.BTYPE).toBe(0);
      else expect(regs.words).toEqual(before);
    },
  );
});

describe('the architecture', () => {
  it('names the registers of struct pt_regs in its order', () => {
    const { names, size, args, ip, sp, fp, ret, stackArgs } = arm64PtRegs;
    const general = Array.from({ length: 31 }, (_, i) => `x${i}`).join(' ');
    expect(names.join(' ')).toBe(
      `${general} sp pc pstate orig_x0 syscallno sdei_ttbr1 pmr_save stackframe0 stackframe1 lockdep_hardirqs exit_rcu`,
    );
    expect(size).toBe(8 * names.length);
    expect(args.map((slot) => names[slot])).toEqual(['x0', 'x1', 'x2', 'x3', 'x4', 'x5', 'x6', 'x7']);
    expect([ip, sp, fp, ret].map((slot) => names[slot])).toEqual(['pc', 'sp', 'x29', 'x0']);
    expect(stackArgs).toBeNull();
    expect([new PtRegs(arm64PtRegs).slot('lr'), new PtRegs(arm64PtRegs).slot('ip')]).toEqual([30, -1]);
  });

  it('breaks with brk #4, #6 behind a slot and #5 in user text, and traps at the breakpoint', () => {
    const words = [probing.breakpoint(4), probing.slotBreakpoint(4), probing.uprobeBreakpoint(4)];
    expect(words).toEqual([bytesOf('d4200080'), bytesOf('d42000c0'), bytesOf('d42000a0')]);
    expect([probing.trapPcBias, probing.boundaryErrno]).toEqual([0, 'EINVAL']);
    expect([...words, bytesOf('d4210000')].map((word) => probing.isBreakpoint(word))).toEqual([true, true, true, true]);
    expect(['d4400000', 'd4200001', 'd503201f'].map((word) => probing.isBreakpoint(bytesOf(word)))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('has instructions of four bytes', () => {
    expect([probing.minInsnLength, probing.maxInsnLength]).toEqual([4, 4]);
    expect([0, 4, 5, 6].map((offset) => probing.insnLength(new Uint8Array(9), offset))).toEqual([4, 4, 4, 0]);
  });

  it('masks all of DAIF while a slot runs, and brings back what was masked', () => {
    const regs = new PtRegs(arm64PtRegs);
    regs.put(33, 0x6000_0045n);
    const saved = probing.maskInterrupts(regs);
    expect([saved, regs.get(33)]).toEqual([0x40, 0x6000_03c5n]);
    // The instruction has changed the flags meanwhile.
    regs.put(33, 0x8000_03c5n);
    probing.restoreInterrupts(regs, saved);
    expect(regs.get(33)).toBe(0x8000_0045n);
  });

  it('keeps the return address in x30 and knows a call by its stack pointer', () => {
    const regs = new PtRegs(arm64PtRegs);
    const entry = new Int32Array(4);
    const exit = new Int32Array(4);
    const [trampoline, caller, stack] = [0xffff_8000_0900_0000n, 0xffff_8000_0801_2344n, 0xffff_8000_0a00_3f80n];
    regs.sp = stack;
    regs.put(30, caller);
    expect(returns.readEntry(regs, memory, entry)).toBe(true);
    expect(returns.redirect(regs, memory, Number(trampoline & 0xffff_ffffn), Number(trampoline >> 32n))).toBe(true);
    expect(regs.get(30)).toBe(trampoline);
    regs.ip = trampoline;
    returns.readReturn(regs, exit);
    expect(exit.subarray(2)).toEqual(entry.subarray(2));
    returns.resume(regs, entry[0], entry[1]);
    expect([regs.ip, regs.get(30), regs.sp]).toEqual([caller, caller, stack]);
  });
});
