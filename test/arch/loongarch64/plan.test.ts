import { describe, expect, it } from 'vitest';
import { loongarch64, LoongArchSlot, type ProbePlan } from '../../../src/arch/index.js';
import { bytesOf, describePlan, expectMasksOneBit, expectReturnsByLinkRegister } from '../link-register-law.js';

const ADDRESS = 0x9000_0000_0020_1000n;
const { probing, ptRegs } = loongarch64;

function plan(code: string, before = ''): ProbePlan {
  return probing.plan(bytesOf(code), ADDRESS, { before: bytesOf(before) });
}

describe('what happens to the instruction under a probe', () => {
  it.each([
    ['pcaddi $a0, 1', '24 00 00 18', 'simulate 4'],
    ['pcalau12i $a0, -1', 'e4 ff ff 1b', 'simulate 4'],
    ['pcaddu12i $a0, 1', '24 00 00 1c', 'simulate 4'],
    ['pcaddu18i $a0, 1', '24 00 00 1e', 'simulate 4'],
    ['b 8', '00 08 00 50', 'simulate 4'],
    ['bl -8', 'ff fb ff 57', 'simulate 4'],
    ['jirl $ra, $t0, 16', '81 11 00 4c', 'simulate 4'],
    ['jirl $zero, $ra, 0', '20 00 00 4c', 'simulate 4'],
    ['beqz $a0, 8', '80 08 00 40', 'simulate 4'],
    ['bnez $a0, -8', '9f f8 ff 47', 'simulate 4'],
    ['beq $a0, $a1, 8', '85 08 00 58', 'simulate 4'],
    ['bne $a0, $a1, 8', '85 08 00 5c', 'simulate 4'],
    ['blt $a0, $a1, 8', '85 08 00 60', 'simulate 4'],
    ['bge $a0, $a1, 8', '85 08 00 64', 'simulate 4'],
    ['bltu $a0, $a1, 8', '85 08 00 68', 'simulate 4'],
    ['bgeu $a0, $a1, 8', '85 08 00 6c', 'simulate 4'],
    ['nop', '00 00 40 03', 'simulate 4'],
    ['addi.d $sp, $sp, -320', '63 00 fb 02', 'simulate 4'],
    ['addi.w $a0, $a1, 1', 'a4 04 80 02', 'simulate 4'],
    ['addu16i.d $a0, $a1, -1', 'a4 fc ff 13', 'simulate 4'],
    ['lu12i.w $a0, 0x12345', 'a4 68 24 14', 'simulate 4'],
    ['lu32i.d $a0, -1', 'e4 ff ff 17', 'simulate 4'],
    ['lu52i.d $a0, $a1, 0x123', 'a4 8c 04 03', 'simulate 4'],
    ['slti $a0, $a1, -1', 'a4 fc 3f 02', 'simulate 4'],
    ['sltui $a0, $a1, -1', 'a4 fc 7f 02', 'simulate 4'],
    ['andi $a0, $a1, 0xfff', 'a4 fc 7f 03', 'simulate 4'],
    ['ori $a0, $a1, 0xfff', 'a4 fc bf 03', 'simulate 4'],
    ['xori $a0, $a1, 0xfff', 'a4 fc ff 03', 'simulate 4'],
    ['add.w $a0, $a1, $a2', 'a4 18 10 00', 'simulate 4'],
    ['add.d $a0, $a1, $a2', 'a4 98 10 00', 'simulate 4'],
    ['sub.w $a0, $a1, $a2', 'a4 18 11 00', 'simulate 4'],
    ['sub.d $a0, $a1, $a2', 'a4 98 11 00', 'simulate 4'],
    ['slt $a0, $a1, $a2', 'a4 18 12 00', 'simulate 4'],
    ['sltu $a0, $a1, $a2', 'a4 98 12 00', 'simulate 4'],
    ['maskeqz $a0, $a1, $a2', 'a4 18 13 00', 'simulate 4'],
    ['masknez $a0, $a1, $a2', 'a4 98 13 00', 'simulate 4'],
    ['nor $a0, $a1, $a2', 'a4 18 14 00', 'simulate 4'],
    ['and $a0, $a1, $a2', 'a4 98 14 00', 'simulate 4'],
    ['or $a0, $a1, $a2', 'a4 18 15 00', 'simulate 4'],
    ['xor $a0, $a1, $a2', 'a4 98 15 00', 'simulate 4'],
    ['orn $a0, $a1, $a2', 'a4 18 16 00', 'simulate 4'],
    ['andn $a0, $a1, $a2', 'a4 98 16 00', 'simulate 4'],
    ['sll.w $a0, $a1, $a2', 'a4 18 17 00', 'simulate 4'],
    ['srl.w $a0, $a1, $a2', 'a4 98 17 00', 'simulate 4'],
    ['sra.w $a0, $a1, $a2', 'a4 18 18 00', 'simulate 4'],
    ['sll.d $a0, $a1, $a2', 'a4 98 18 00', 'simulate 4'],
    ['srl.d $a0, $a1, $a2', 'a4 18 19 00', 'simulate 4'],
    ['sra.d $a0, $a1, $a2', 'a4 98 19 00', 'simulate 4'],
    ['slli.w $a0, $a1, 31', 'a4 fc 40 00', 'simulate 4'],
    ['srli.w $a0, $a1, 31', 'a4 fc 44 00', 'simulate 4'],
    ['srai.w $a0, $a1, 31', 'a4 fc 48 00', 'simulate 4'],
    ['slli.d $a0, $a1, 63', 'a4 fc 41 00', 'simulate 4'],
    ['srli.d $a0, $a1, 63', 'a4 fc 45 00', 'simulate 4'],
    ['srai.d $a0, $a1, 63', 'a4 fc 49 00', 'simulate 4'],
    ['ld.b $a0, $a1, -1', 'a4 fc 3f 28', 'simulate 4'],
    ['ld.h $a0, $a1, -2', 'a4 f8 7f 28', 'simulate 4'],
    ['ld.w $a0, $a1, -4', 'a4 f0 bf 28', 'simulate 4'],
    ['ld.d $a0, $a1, -8', 'a4 e0 ff 28', 'simulate 4'],
    ['ld.bu $a0, $a1, 1', 'a4 04 00 2a', 'simulate 4'],
    ['ld.hu $a0, $a1, 2', 'a4 08 40 2a', 'simulate 4'],
    ['ld.wu $a0, $a1, 4', 'a4 10 80 2a', 'simulate 4'],
    ['st.b $a0, $a1, -1', 'a4 fc 3f 29', 'simulate 4'],
    ['st.h $a0, $a1, -2', 'a4 f8 7f 29', 'simulate 4'],
    ['st.w $a0, $a1, -4', 'a4 f0 bf 29', 'simulate 4'],
    ['st.d $ra, $sp, 312', '61 e0 c4 29', 'simulate 4'],
    ['ldptr.w $a0, $a1, -32768', 'a4 00 80 24', 'simulate 4'],
    ['ldptr.d $a0, $a1, 32764', 'a4 fc 7f 26', 'simulate 4'],
    ['stptr.w $a0, $a1, 4', 'a4 04 00 25', 'simulate 4'],
    ['stptr.d $a0, $a1, 8', 'a4 08 00 27', 'simulate 4'],
    ['rotr.d $a0, $a1, $a2', 'a4 98 1b 00', 'slot 4'],
    ['rotri.w $a0, $a1, 3', 'a4 8c 4c 00', 'slot 4'],
    ['alsl.d $a0, $a1, $a2, 2', 'a4 98 2c 00', 'slot 4'],
    ['mul.d $a0, $a1, $a2', 'a4 98 1d 00', 'slot 4'],
    ['div.wu $a0, $a1, $a2', 'a4 18 21 00', 'slot 4'],
    ['bstrpick.d $a0, $a1, 40, 9', 'a4 24 e8 00', 'slot 4'],
    ['bstrins.w $a0, $a1, 4, 0', 'a4 00 64 00', 'slot 4'],
    ['ext.w.b $a0, $a1', 'a4 5c 00 00', 'slot 4'],
    ['clz.d $a0, $a1', 'a4 24 00 00', 'slot 4'],
    ['ldx.d $a0, $a1, $a2', 'a4 18 0c 38', 'slot 4'],
    ['stx.w $a0, $a1, $a2', 'a4 18 18 38', 'slot 4'],
    ['preld 0, $a0, 8', '80 20 c0 2a', 'slot 4'],
    ['fld.d $fa0, $a0, 8', '80 20 80 2b', 'slot 4'],
    ['fadd.s $fa0, $fa1, $fa2', '20 88 00 01', 'slot 4'],
    ['movgr2fr.d $fa0, $a0', '80 a8 14 01', 'slot 4'],
    ['rdtime.d $a0, $a1', 'a4 68 00 00', 'slot 4'],
    ['cpucfg $a0, $a1', 'a4 6c 00 00', 'slot 4'],
    ['dbar 0', '00 00 72 38', 'slot 4'],
    ['ibar 0', '00 80 72 38', 'slot 4'],
    ['vadd.d $vr0, $vr1, $vr2', '20 88 0b 70', 'slot 4'],
    ['break 0', '00 00 2a 00', 'refuse EINVAL 4'],
    ['break 10', '0a 00 2a 00', 'refuse EINVAL 4'],
    ['syscall 0', '00 00 2b 00', 'refuse EINVAL 4'],
    ['dbcl 0', '00 80 2a 00', 'refuse EINVAL 4'],
    ['hvcl 0', '00 80 2b 00', 'refuse EINVAL 4'],
    ['ertn', '00 38 48 06', 'refuse EINVAL 4'],
    ['idle 0', '00 80 48 06', 'refuse EINVAL 4'],
    ['csrrd $a0, 0', '04 00 00 04', 'refuse EINVAL 4'],
    ['csrwr $a0, 1', '24 04 00 04', 'refuse EINVAL 4'],
    ['csrxchg $a0, $a1, 4', 'a4 10 00 04', 'refuse EINVAL 4'],
    ['gcsrrd $a0, 0', '04 00 00 05', 'refuse EINVAL 4'],
    ['iocsrrd.w $a0, $a1', 'a4 08 48 06', 'refuse EINVAL 4'],
    ['iocsrwr.d $a0, $a1', 'a4 1c 48 06', 'refuse EINVAL 4'],
    ['cacop 0, $a0, 8', '80 20 00 06', 'refuse EINVAL 4'],
    ['tlbsrch', '00 28 48 06', 'refuse EINVAL 4'],
    ['tlbwr', '00 30 48 06', 'refuse EINVAL 4'],
    ['invtlb 0, $a0, $a1', '80 94 49 06', 'refuse EINVAL 4'],
    ['lddir $a0, $a1, 1', 'a4 04 40 06', 'refuse EINVAL 4'],
    ['ldpte $a0, 0', '80 00 44 06', 'refuse EINVAL 4'],
    ['bceqz $fcc0, 8', '00 08 00 48', 'refuse EINVAL 4'],
    ['bcnez $fcc1, 8', '20 09 00 48', 'refuse EINVAL 4'],
    ['ll.w $a0, $a1, 0', 'a4 00 00 20', 'refuse EINVAL 4'],
    ['ll.d $a0, $a1, 8', 'a4 08 00 22', 'refuse EINVAL 4'],
    ['sc.w $a0, $a1, 0', 'a4 00 00 21', 'refuse EINVAL 4'],
    ['sc.d $a0, $a1, 8', 'a4 08 00 23', 'refuse EINVAL 4'],
    ['llacq.w', '00 80 57 38', 'refuse EINVAL 4'],
    ['screl.w', '00 84 57 38', 'refuse EINVAL 4'],
    ['sc.q', '00 00 57 38', 'refuse EINVAL 4'],
    ['amswap.w $a0, $a1, $a2', 'c4 14 60 38', 'refuse EINVAL 4'],
    ['amadd_db.d $a0, $a1, $a2', 'c4 94 6a 38', 'refuse EINVAL 4'],
    ['ammin_db.du $a0, $a1, $a2', 'c4 94 71 38', 'refuse EINVAL 4'],
    ['amcas.b', '00 00 58 38', 'refuse EINVAL 4'],
    ['half an instruction', '00 00', 'refuse EILSEQ 0'],
  ])('%s', (_text, code, expected) => {
    expect(describePlan(plan(code))).toBe(expected);
  });

  it('runs in a slot byte for byte as it stood', () => {
    const made = plan('a4 98 1d 00');
    expect(made.kind === 'slot' && made.relocate(0x1000n)).toEqual(bytesOf('a4 98 1d 00'));
  });
});

describe('between load-linked and store-conditional', () => {
  const LL = '8c 00 00 22';
  const SC = '8c 00 00 23';
  const ADDI = '8c 05 c0 02';

  it.each([
    ['right behind the load', LL, 'refuse EINVAL 4'],
    ['further behind it', `${LL} ${ADDI} ${ADDI}`, 'refuse EINVAL 4'],
    ['behind the store', `${LL} ${ADDI} ${SC}`, 'simulate 4'],
    ['behind a second load', `${LL} ${SC} ${LL}`, 'refuse EINVAL 4'],
    ['with neither before it', `${ADDI} ${ADDI}`, 'simulate 4'],
  ])('%s', (_where, before, expected) => {
    expect(describePlan(plan(ADDI, before))).toBe(expected);
  });

  it('says why', () => {
    expect(plan(ADDI, LL)).toMatchObject({ reason: expect.stringContaining('store-conditional') });
  });
});

describe('the architecture', () => {
  it('lays struct pt_regs out as Linux does', () => {
    expect(ptRegs.names.slice(0, 33)).toEqual([...Array.from({ length: 32 }, (_, n) => `r${n}`), 'orig_a0']);
    expect(ptRegs.names.slice(33).join(' ')).toBe('csr_era csr_badvaddr csr_crmd csr_prmd csr_euen csr_ecfg csr_estat');
    expect(ptRegs.size).toBe(8 * ptRegs.names.length);
    const { ip, sp, fp, ret, args } = ptRegs;
    expect([ip, sp, fp, ret].map((slot) => ptRegs.names[slot])).toEqual(['csr_era', 'r3', 'r22', 'r4']);
    expect(args.map((slot) => ptRegs.names[slot]).join(' ')).toBe('r4 r5 r6 r7 r8 r9 r10 r11');
  });

  it('has a break code for each purpose', () => {
    expect(probing.breakpoint(4)).toEqual(bytesOf('0a 00 2a 00'));
    expect(probing.slotBreakpoint(4)).toEqual(bytesOf('0b 00 2a 00'));
    expect(probing.uprobeBreakpoint(4)).toEqual(bytesOf('0c 00 2a 00'));
    expect(probing.trapPcBias).toBe(0);
    expect(probing.boundaryErrno).toBe('EILSEQ');
  });

  it.each([
    ['break 10', '0a 00 2a 00', true],
    ['break 32767', 'ff 7f 2a 00', true],
    ['dbcl 0', '00 80 2a 00', false],
    ['two bytes', '0a 00', false],
  ])('knows a breakpoint: %s', (_text, code, expected) => {
    expect(probing.isBreakpoint(bytesOf(code))).toBe(expected);
  });

  it('masks interrupts by PIE, and nothing else', () => {
    expectMasksOneBit(loongarch64, LoongArchSlot.csr_prmd, 4n);
  });

  it('returns by r1, and tells calls apart by r3', () => {
    expectReturnsByLinkRegister(loongarch64, LoongArchSlot.ra);
  });
});
