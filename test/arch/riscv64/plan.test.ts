import { describe, expect, it } from 'vitest';
import { riscv64, RiscvSlot, type ProbePlan } from '../../../src/arch/index.js';
import { bytesOf, describePlan, expectMasksOneBit, expectReturnsByLinkRegister } from '../link-register-law.js';

const ADDRESS = 0xffff_ffff_8000_1000n;
const { probing } = riscv64;

function plan(code: string, before = ''): ProbePlan {
  return probing.plan(bytesOf(code), ADDRESS, { before: bytesOf(before) });
}

describe('what happens to the instruction under a probe', () => {
  it.each([
    ['auipc a0, 0x12345', '17 55 34 12', 'simulate 4'],
    ['jal ra, .+2048', 'ef 00 10 00', 'simulate 4'],
    ['jal zero, .-2', '6f f0 ff ff', 'simulate 4'],
    ['jalr ra, 16(t0)', 'e7 80 02 01', 'simulate 4'],
    ['jalr ra, -4(ra)', 'e7 80 c0 ff', 'simulate 4'],
    ['beq a0, a1, .+8', '63 04 b5 00', 'simulate 4'],
    ['bne a0, zero, .-8', 'e3 1c 05 fe', 'simulate 4'],
    ['blt a0, a1, .+8', '63 44 b5 00', 'simulate 4'],
    ['bge a0, a1, .+8', '63 54 b5 00', 'simulate 4'],
    ['bltu a0, a1, .+8', '63 64 b5 00', 'simulate 4'],
    ['bgeu a0, a1, .+8', '63 74 b5 00', 'simulate 4'],
    ['c.j .+4', '11 a0', 'simulate 2'],
    ['c.jr ra', '82 80', 'simulate 2'],
    ['c.jalr t1', '02 93', 'simulate 2'],
    ['c.beqz a0, .+4', '11 c1', 'simulate 2'],
    ['c.bnez a5, .-4', 'f5 ff', 'simulate 2'],
    ['c.nop', '01 00', 'simulate 2'],
    ['addi zero, zero, 0', '13 00 00 00', 'simulate 4'],
    ['c.addi16sp sp, -64', '39 71', 'simulate 2'],
    ['c.addi4spn a0, sp, 16', '08 08', 'simulate 2'],
    ['c.addi s0, -1', '7d 14', 'simulate 2'],
    ['c.addiw a0, 3', '0d 25', 'simulate 2'],
    ['c.li a0, 7', '1d 45', 'simulate 2'],
    ['c.lui a1, 3', '8d 65', 'simulate 2'],
    ['c.mv s0, a0', '2a 84', 'simulate 2'],
    ['c.add a0, a1', '2e 95', 'simulate 2'],
    ['c.sub a0, a1', '0d 8d', 'simulate 2'],
    ['c.xor a0, a1', '2d 8d', 'simulate 2'],
    ['c.or a0, a1', '4d 8d', 'simulate 2'],
    ['c.and a0, a1', '6d 8d', 'simulate 2'],
    ['c.addw a0, a1', '2d 9d', 'simulate 2'],
    ['c.subw a0, a1', '0d 9d', 'simulate 2'],
    ['c.andi a0, 15', '3d 89', 'simulate 2'],
    ['c.slli a0, 40', '22 15', 'simulate 2'],
    ['c.srli a0, 3', '0d 81', 'simulate 2'],
    ['c.srai a0, 3', '0d 85', 'simulate 2'],
    ['c.sdsp ra, 40(sp)', '06 f4', 'simulate 2'],
    ['c.ldsp ra, 40(sp)', 'a2 70', 'simulate 2'],
    ['c.swsp a0, 4(sp)', '2a c2', 'simulate 2'],
    ['c.lwsp a0, 4(sp)', '12 45', 'simulate 2'],
    ['c.ld a0, 8(a1)', '88 65', 'simulate 2'],
    ['c.sd a0, 8(a1)', '88 e5', 'simulate 2'],
    ['c.lw a0, 8(a1)', '88 45', 'simulate 2'],
    ['c.sw a0, 8(a1)', '88 c5', 'simulate 2'],
    ['lui a0, 0xfffff', '37 f5 ff ff', 'simulate 4'],
    ['addi sp, sp, -288', '13 01 01 ee', 'simulate 4'],
    ['slti a0, a1, -1', '13 a5 f5 ff', 'simulate 4'],
    ['sltiu a0, a1, -1', '13 b5 f5 ff', 'simulate 4'],
    ['xori a0, a1, -1', '13 c5 f5 ff', 'simulate 4'],
    ['ori a0, a1, 1', '13 e5 15 00', 'simulate 4'],
    ['andi a0, a1, 1', '13 f5 15 00', 'simulate 4'],
    ['slli a0, a1, 63', '13 95 f5 03', 'simulate 4'],
    ['srli a0, a1, 63', '13 d5 f5 03', 'simulate 4'],
    ['srai a0, a1, 63', '13 d5 f5 43', 'simulate 4'],
    ['addiw a0, a1, 1', '1b 85 15 00', 'simulate 4'],
    ['slliw a0, a1, 31', '1b 95 f5 01', 'simulate 4'],
    ['srliw a0, a1, 31', '1b d5 f5 01', 'simulate 4'],
    ['sraiw a0, a1, 31', '1b d5 f5 41', 'simulate 4'],
    ['add a0, a1, a2', '33 85 c5 00', 'simulate 4'],
    ['sub a0, a1, a2', '33 85 c5 40', 'simulate 4'],
    ['sll a0, a1, a2', '33 95 c5 00', 'simulate 4'],
    ['slt a0, a1, a2', '33 a5 c5 00', 'simulate 4'],
    ['sltu a0, a1, a2', '33 b5 c5 00', 'simulate 4'],
    ['xor a0, a1, a2', '33 c5 c5 00', 'simulate 4'],
    ['srl a0, a1, a2', '33 d5 c5 00', 'simulate 4'],
    ['sra a0, a1, a2', '33 d5 c5 40', 'simulate 4'],
    ['or a0, a1, a2', '33 e5 c5 00', 'simulate 4'],
    ['and a0, a1, a2', '33 f5 c5 00', 'simulate 4'],
    ['addw a0, a1, a2', '3b 85 c5 00', 'simulate 4'],
    ['subw a0, a1, a2', '3b 85 c5 40', 'simulate 4'],
    ['sllw a0, a1, a2', '3b 95 c5 00', 'simulate 4'],
    ['srlw a0, a1, a2', '3b d5 c5 00', 'simulate 4'],
    ['sraw a0, a1, a2', '3b d5 c5 40', 'simulate 4'],
    ['lb a0, -1(a1)', '03 85 f5 ff', 'simulate 4'],
    ['lh a0, -2(a1)', '03 95 e5 ff', 'simulate 4'],
    ['lw a0, -4(a1)', '03 a5 c5 ff', 'simulate 4'],
    ['ld a0, -8(a1)', '03 b5 85 ff', 'simulate 4'],
    ['lbu a0, 1(a1)', '03 c5 15 00', 'simulate 4'],
    ['lhu a0, 2(a1)', '03 d5 25 00', 'simulate 4'],
    ['lwu a0, 4(a1)', '03 e5 45 00', 'simulate 4'],
    ['sb a0, -1(a1)', 'a3 8f a5 fe', 'simulate 4'],
    ['sh a0, -2(a1)', '23 9f a5 fe', 'simulate 4'],
    ['sw a0, -4(a1)', '23 ae a5 fe', 'simulate 4'],
    ['sd a0, -8(a1)', '23 bc a5 fe', 'simulate 4'],
    ['mul a0, a1, a2', '33 85 c5 02', 'slot 4'],
    ['mulhu a0, a1, a2', '33 b5 c5 02', 'slot 4'],
    ['divw a0, a1, a2', '3b c5 c5 02', 'slot 4'],
    ['remu a0, a1, a2', '33 f5 c5 02', 'slot 4'],
    ['amoadd.w a0, a1, (a2)', '2f 25 b6 00', 'slot 4'],
    ['amoswap.d.aqrl a0, a1, (a2)', '2f 35 b6 0e', 'slot 4'],
    ['amomaxu.d a0, a1, (a2)', '2f 35 b6 e0', 'slot 4'],
    ['fld fa0, 8(a0)', '07 35 85 00', 'slot 4'],
    ['c.fld fa0, 8(a0)', '08 25', 'slot 2'],
    ['c.fsd fa0, 8(a0)', '08 a5', 'slot 2'],
    ['c.fldsp fa0, 8(sp)', '22 25', 'slot 2'],
    ['c.fsdsp fa0, 8(sp)', '2a a4', 'slot 2'],
    ['fadd.d fa0, fa1, fa2', '53 f5 c5 02', 'slot 4'],
    ['fmadd.s fa0, fa1, fa2, fa3', '43 f5 c5 68', 'slot 4'],
    ['clz a0, a1', '13 95 05 60', 'slot 4'],
    ['sh1add a0, a1, a2', '33 a5 c5 20', 'slot 4'],
    ['rori a0, a1, 3', '13 d5 35 60', 'slot 4'],
    ['vsetvli a0, a1, e8, m1, ta, ma', '57 f5 05 0c', 'slot 4'],
    ['an instruction of a vendor', '0b 00 a5 02', 'slot 4'],
    ['ebreak', '73 00 10 00', 'refuse EINVAL 4'],
    ['c.ebreak', '02 90', 'refuse EINVAL 2'],
    ['ecall', '73 00 00 00', 'refuse EINVAL 4'],
    ['csrrw a0, sscratch, a1', '73 95 05 14', 'refuse EINVAL 4'],
    ['csrrs a0, time, zero', '73 25 10 c0', 'refuse EINVAL 4'],
    ['csrrc a0, sstatus, a1', '73 b5 05 10', 'refuse EINVAL 4'],
    ['csrrwi a0, sstatus, 2', '73 55 01 10', 'refuse EINVAL 4'],
    ['csrrsi a0, sstatus, 2', '73 65 01 10', 'refuse EINVAL 4'],
    ['csrrci a0, sstatus, 2', '73 75 01 10', 'refuse EINVAL 4'],
    ['fsrmi a0, 1', '73 d5 20 00', 'refuse EINVAL 4'],
    ['unimp', '73 10 00 c0', 'refuse EINVAL 4'],
    ['mret', '73 00 20 30', 'refuse EINVAL 4'],
    ['sret', '73 00 20 10', 'refuse EINVAL 4'],
    ['mnret', '73 00 20 70', 'refuse EINVAL 4'],
    ['dret', '73 00 20 7b', 'refuse EINVAL 4'],
    ['wfi', '73 00 50 10', 'refuse EINVAL 4'],
    ['sfence.vma a0, a1', '73 00 b5 12', 'refuse EINVAL 4'],
    ['sinval.vma a0, a1', '73 00 b5 16', 'refuse EINVAL 4'],
    ['hfence.gvma a0, a1', '73 00 b5 62', 'refuse EINVAL 4'],
    ['hlv.d a0, (a1)', '73 c5 05 6c', 'refuse EINVAL 4'],
    ['wrs.nto', '73 00 d0 00', 'refuse EINVAL 4'],
    ['fence rw, rw', '0f 00 30 03', 'refuse EINVAL 4'],
    ['fence.tso', '0f 00 30 83', 'refuse EINVAL 4'],
    ['pause', '0f 00 00 01', 'refuse EINVAL 4'],
    ['fence.i', '0f 10 00 00', 'refuse EINVAL 4'],
    ['cbo.zero (a0)', '0f 20 45 00', 'refuse EINVAL 4'],
    ['cbo.flush (a0)', '0f 20 25 00', 'refuse EINVAL 4'],
    ['lr.w a0, (a1)', '2f a5 05 10', 'refuse EINVAL 4'],
    ['lr.d.aq a0, (a1)', '2f b5 05 14', 'refuse EINVAL 4'],
    ['sc.w a0, a2, (a1)', '2f a5 c5 18', 'refuse EINVAL 4'],
    ['sc.d.rl a0, a2, (a1)', '2f b5 c5 1a', 'refuse EINVAL 4'],
    ['c.unimp', '00 00', 'refuse EINVAL 2'],
    ['half an instruction', '93', 'refuse EILSEQ 0'],
    ['half of four bytes', '13 00', 'refuse EILSEQ 0'],
    ['a 48-bit encoding', '1f 00 00 00', 'refuse EILSEQ 0'],
  ])('%s', (_text, code, expected) => {
    expect(describePlan(plan(code))).toBe(expected);
  });

  it('runs in a slot byte for byte as it stood', () => {
    const made = plan('33 85 c5 02');
    expect(made.kind === 'slot' && made.relocate(0x1000n)).toEqual(bytesOf('33 85 c5 02'));
  });
});

describe('between load-reserved and store-conditional', () => {
  const LR = 'af a2 05 10';
  const SC = '2f a3 55 18';
  const ADDI = '93 82 12 00';
  const C_ADDI = '85 02';

  it.each([
    ['right behind the load', LR, 'refuse EINVAL 2'],
    ['further behind it', `${LR} ${ADDI} ${C_ADDI}`, 'refuse EINVAL 2'],
    ['behind the store', `${LR} ${ADDI} ${SC}`, 'simulate 2'],
    ['behind a second load', `${LR} ${SC} ${ADDI} ${LR} ${C_ADDI}`, 'refuse EINVAL 2'],
    ['where a context cut off begins within an instruction', `13 01 ${LR} ${'01 00 '.repeat(29)}`, 'refuse EINVAL 2'],
    ['where it begins with the second half of one', `ff ff ${'01 00 '.repeat(28)} ${ADDI} ${LR}`, 'refuse EINVAL 2'],
    ['where what looks like a load is half of two others', `13 01 ${LR} 01 00`, 'simulate 2'],
    ['with neither before it', `${ADDI} ${C_ADDI}`, 'simulate 2'],
  ])('%s', (_where, before, expected) => {
    expect(describePlan(plan(C_ADDI, before))).toBe(expected);
  });

  it('says why', () => {
    expect(plan(C_ADDI, LR)).toMatchObject({ reason: expect.stringContaining('store-conditional') });
  });

  it('looks back as far as the longest sequence that the architecture promises to complete', () => {
    expect(probing.contextSize).toBe(16 * 4);
  });
});

describe('the architecture', () => {
  it('breaks with as many bytes as the instruction has', () => {
    expect(probing.breakpoint(2)).toEqual(bytesOf('02 90'));
    expect(probing.breakpoint(4)).toEqual(bytesOf('73 00 10 00'));
    expect(probing.slotBreakpoint(2)).toEqual(bytesOf('73 00 10 00'));
    expect([2, 4].map((length) => probing.uprobeBreakpoint(length))).toEqual([bytesOf('02 90'), bytesOf('02 90')]);
    expect(probing.trapPcBias).toBe(0);
    expect(probing.boundaryErrno).toBe('EILSEQ');
  });

  it.each([
    ['c.ebreak', '02 90', true],
    ['c.ebreak and more', '02 90 01 00', true],
    ['ebreak', '73 00 10 00', true],
    ['ecall', '73 00 00 00', false],
    ['c.jr', '02 80', false],
  ])('knows a breakpoint: %s', (_text, code, expected) => {
    expect(probing.isBreakpoint(bytesOf(code))).toBe(expected);
  });

  it('masks interrupts by SPIE, and nothing else', () => {
    expectMasksOneBit(riscv64, RiscvSlot.status, 0x20n);
  });

  it('returns by ra, and tells calls apart by sp', () => {
    expectReturnsByLinkRegister(riscv64, RiscvSlot.ra);
  });
});
