/** What an instruction is to someone who moves or simulates it. Everything that only computes, loads or stores is `other`. */
export type RiscvInsnClass =
  | 'other'
  | 'nop'
  | 'auipc'
  | 'jal'
  | 'jalr'
  | 'branch'
  | 'fence'
  | 'fence-i'
  /** cbo.inval, cbo.clean, cbo.flush, cbo.zero */
  | 'cache-block'
  /** lr.w, lr.d */
  | 'load-reserved'
  /** sc.w, sc.d */
  | 'store-conditional'
  | 'amo'
  | 'ecall'
  | 'ebreak'
  /** mret, sret, mnret, dret */
  | 'trap-return'
  | 'wfi'
  | 'csr'
  /** All else of the SYSTEM opcode: sfence.vma and its like, hypervisor loads, wrs.nto … */
  | 'system'
  /** Sixteen zero bits, which the architecture promises to be no instruction. */
  | 'illegal';

const NOP = 0x13;

/** The class of a 32-bit instruction. */
export function classify(word: number): RiscvInsnClass {
  if (word === NOP) return 'nop';
  const funct3 = (word >> 12) & 7;
  switch (word & 0x7f) {
    case 0x17:
      return 'auipc';
    case 0x6f:
      return 'jal';
    case 0x67:
      return funct3 === 0 ? 'jalr' : 'other';
    case 0x63:
      return (funct3 & 6) === 2 ? 'other' : 'branch';
    case 0x0f:
      return MISC_MEM[funct3] ?? 'other';
    case 0x2f:
      return classifyAtomic(word >>> 27);
    case 0x73:
      return classifySystem(word, funct3);
    default:
      return 'other';
  }
}

const MISC_MEM: readonly RiscvInsnClass[] = ['fence', 'fence-i', 'cache-block'];

function classifyAtomic(funct5: number): RiscvInsnClass {
  if (funct5 === 2) return 'load-reserved';
  return funct5 === 3 ? 'store-conditional' : 'amo';
}

function classifySystem(word: number, funct3: number): RiscvInsnClass {
  if (funct3 === 4) return 'system';
  if (funct3 !== 0) return 'csr';
  return PRIVILEGED[word >>> 20] ?? 'system';
}

const PRIVILEGED: Readonly<Record<number, RiscvInsnClass>> = {
  0x000: 'ecall',
  0x001: 'ebreak',
  0x102: 'trap-return',
  0x105: 'wfi',
  0x302: 'trap-return',
  0x702: 'trap-return',
  0x7b2: 'trap-return',
};
