import { decodeRiscvInsn, riscv64 } from '../../../src/arch/index.js';
import { parseForms, type Access, type StepForm, type StepForms } from './step-forms.js';

const WORDS = `
  lui 37 ffffff80
  auipc 17 ffffff80
  jal 6f ffffff80
  jalr 67 ffff8f80
  beq 63 ffff8f80
  bne 1063 ffff8f80
  blt 4063 ffff8f80
  bge 5063 ffff8f80
  bltu 6063 ffff8f80
  bgeu 7063 ffff8f80
  lb 3 ffff8f80
  lh 1003 ffff8f80
  lw 2003 ffff8f80
  ld 3003 ffff8f80
  lbu 4003 ffff8f80
  lhu 5003 ffff8f80
  lwu 6003 ffff8f80
  sb 23 ffff8f80
  sh 1023 ffff8f80
  sw 2023 ffff8f80
  sd 3023 ffff8f80
  addi 13 ffff8f80
  slti 2013 ffff8f80
  sltiu 3013 ffff8f80
  xori 4013 ffff8f80
  ori 6013 ffff8f80
  andi 7013 ffff8f80
  slli 1013 3ff8f80
  srli 5013 3ff8f80
  srai 40005013 3ff8f80
  addiw 1b ffff8f80
  slliw 101b 1ff8f80
  srliw 501b 1ff8f80
  sraiw 4000501b 1ff8f80
  add 33 1ff8f80
  sub 40000033 1ff8f80
  sll 1033 1ff8f80
  slt 2033 1ff8f80
  sltu 3033 1ff8f80
  xor 4033 1ff8f80
  srl 5033 1ff8f80
  sra 40005033 1ff8f80
  or 6033 1ff8f80
  and 7033 1ff8f80
  addw 3b 1ff8f80
  subw 4000003b 1ff8f80
  sllw 103b 1ff8f80
  srlw 503b 1ff8f80
  sraw 4000503b 1ff8f80
  mul 2000033 1ff8f80
  mulh 2001033 1ff8f80
  mulhsu 2002033 1ff8f80
  mulhu 2003033 1ff8f80
  div 2004033 1ff8f80
  divu 2005033 1ff8f80
  rem 2006033 1ff8f80
  remu 2007033 1ff8f80
  mulw 200003b 1ff8f80
  divw 200403b 1ff8f80
  divuw 200503b 1ff8f80
  remw 200603b 1ff8f80
  remuw 200703b 1ff8f80
  amoswap.w 800202f 7ff8f80
  amoadd.w 202f 7ff8f80
  amoxor.d 2000302f 7ff8f80
  amoand.d 6000302f 7ff8f80
  amoor.w 4000202f 7ff8f80
  amomin.w 8000202f 7ff8f80
  amomax.d a000302f 7ff8f80
  amominu.d c000302f 7ff8f80
  amomaxu.w e000202f 7ff8f80
  sh1add 20002033 1ff8f80
  add.uw 800003b 1ff8f80
  andn 40007033 1ff8f80
  rol 60001033 1ff8f80
  rori 60005013 3ff8f80
  max a006033 1ff8f80
  bext 48005033 1ff8f80
`;

const COMPRESSED = `
  c.addi4spn 0 1ffc
  c.lw 4000 1ffc
  c.ld 6000 1ffc
  c.sw c000 1ffc
  c.sd e000 1ffc
  c.addi 1 1ffc
  c.addiw 2001 1ffc
  c.li 4001 1ffc
  c.lui 6001 1ffc
  c.addi16sp 6101 107c
  c.srli 8001 13fc
  c.srai 8401 13fc
  c.andi 8801 13fc
  c.sub 8c01 39c
  c.xor 8c21 39c
  c.or 8c41 39c
  c.and 8c61 39c
  c.subw 9c01 39c
  c.addw 9c21 39c
  c.j a001 1ffc
  c.beqz c001 1ffc
  c.bnez e001 1ffc
  c.slli 2 1ffc
  c.lwsp 4002 1ffc
  c.ldsp 6002 1ffc
  c.jr 8002 f80
  c.mv 8002 ffc
  c.jalr 9002 f80
  c.add 9002 ffc
  c.swsp c002 1ffc
  c.sdsp e002 1ffc
`;

function bytesOf(word: number): Uint8Array {
  return Uint8Array.of(word, word >>> 8, word >>> 16, word >>> 24);
}

/** The instruction in 32 bits. */
function wide(word: number): number {
  return decodeRiscvInsn(bytesOf(word), 0)?.word ?? 0;
}

/** What the base integer set, M, A, C and some of Zba, Zbb and Zbs have of computation, memory and branches. */
export const riscvForms: StepForms = {
  forms: [...parseForms(4, WORDS), ...parseForms(2, COMPRESSED)],
  accessOf(word: number): Access | null {
    const insn = wide(word);
    const base = (insn >> 15) & 31;
    const align = 1 << ((insn >> 12) & 3);
    switch (insn & 0x7f) {
      case 0x03:
        return { base, offset: insn >> 20, align: 1 };
      case 0x23:
        return { base, offset: ((insn >> 25) << 5) | ((insn >> 7) & 31), align: 1 };
      case 0x2f:
        return { base, offset: 0, align };
      default:
        return null;
    }
  },
  skips: (word: number, { size }: StepForm) =>
    wide(word) === 0 || riscv64.probing.plan(bytesOf(word), 0n).length !== size || wide(word) === 0x10_0073,
};
