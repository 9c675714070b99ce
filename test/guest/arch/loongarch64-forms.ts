import { parseForms, type Access, type StepForm, type StepForms } from './step-forms.js';

const WORDS = `
  pcaddi 18000000 1ffffff
  pcalau12i 1a000000 1ffffff
  pcaddu12i 1c000000 1ffffff
  pcaddu18i 1e000000 1ffffff
  b 50000000 3ffffff
  bl 54000000 3ffffff
  jirl 4c000000 3ffffff
  beqz 40000000 3ffffff
  bnez 44000000 3ffffff
  beq 58000000 3ffffff
  bne 5c000000 3ffffff
  blt 60000000 3ffffff
  bge 64000000 3ffffff
  bltu 68000000 3ffffff
  bgeu 6c000000 3ffffff
  addi.w 2800000 3fffff
  addi.d 2c00000 3fffff
  lu52i.d 3000000 3fffff
  slti 2000000 3fffff
  sltui 2400000 3fffff
  andi 3400000 3fffff
  ori 3800000 3fffff
  xori 3c00000 3fffff
  addu16i.d 10000000 3ffffff
  lu12i.w 14000000 1ffffff
  lu32i.d 16000000 1ffffff
  add.w 100000 7fff
  add.d 108000 7fff
  sub.w 110000 7fff
  sub.d 118000 7fff
  slt 120000 7fff
  sltu 128000 7fff
  maskeqz 130000 7fff
  masknez 138000 7fff
  nor 140000 7fff
  and 148000 7fff
  or 150000 7fff
  xor 158000 7fff
  orn 160000 7fff
  andn 168000 7fff
  sll.w 170000 7fff
  srl.w 178000 7fff
  sra.w 180000 7fff
  sll.d 188000 7fff
  srl.d 190000 7fff
  sra.d 198000 7fff
  slli.w 408000 7fff
  slli.d 410000 ffff
  srli.w 448000 7fff
  srli.d 450000 ffff
  srai.w 488000 7fff
  srai.d 490000 ffff
  ld.b 28000000 3fffff
  ld.h 28400000 3fffff
  ld.w 28800000 3fffff
  ld.d 28c00000 3fffff
  st.b 29000000 3fffff
  st.h 29400000 3fffff
  st.w 29800000 3fffff
  st.d 29c00000 3fffff
  ld.bu 2a000000 3fffff
  ld.hu 2a400000 3fffff
  ld.wu 2a800000 3fffff
  ldptr.w 24000000 ffffff
  stptr.w 25000000 ffffff
  ldptr.d 26000000 ffffff
  stptr.d 27000000 ffffff
  ldx.b 38000000 7fff
  ldx.d 380c0000 7fff
  stx.w 38180000 7fff
  ldx.hu 38240000 7fff
  rotr.w 1b0000 7fff
  rotr.d 1b8000 7fff
  mul.w 1c0000 7fff
  mulh.wu 1d0000 7fff
  mul.d 1d8000 7fff
  mulh.d 1e0000 7fff
  mulh.du 1e8000 7fff
  div.w 200000 7fff
  mod.wu 218000 7fff
  div.d 220000 7fff
  mod.du 238000 7fff
  alsl.d 2c0000 1ffff
  alsl.wu 60000 1ffff
  bytepick.d c0000 3ffff
  clz.d 2400 3ff
  ctz.w 1c00 3ff
  revb.d 3c00 3ff
  bitrev.d 5400 3ff
  ext.w.h 5800 3ff
  ext.w.b 5c00 3ff
  crc.w.b.w 240000 7fff
`;

/** What the base set has of integer computation, memory and branches. */
export const loongArchForms: StepForms = {
  forms: parseForms(4, WORDS),
  accessOf(word: number, { name }: StepForm): Access | null {
    const base = (word >> 5) & 31;
    if (/^(ld|st)x/.test(name)) return { base, offset: 0, index: (word >> 10) & 31, align: 1 };
    if (/^(ld|st)ptr/.test(name)) return { base, offset: ((word << 8) >> 18) << 2, align: 1 };
    return /^(ld|st)\./.test(name) ? { base, offset: (word << 10) >> 20, align: 1 } : null;
  },
  // Every operand makes an instruction of the same name.
  skips: () => false,
};
