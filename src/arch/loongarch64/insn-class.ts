/** What an instruction is to someone who moves or simulates it. Everything that only computes, loads or stores is `other`. */
export type LoongArchInsnClass =
  | 'other'
  /** andi $zero, $zero, 0 */
  | 'nop'
  /** pcaddi, pcalau12i, pcaddu12i, pcaddu18i */
  | 'pc-relative'
  /** b, bl */
  | 'jump'
  | 'jirl'
  /** beqz, bnez, beq, bne, blt, bge, bltu, bgeu */
  | 'branch'
  /** bceqz, bcnez; jiscr0 and jiscr1, which have the same opcode */
  | 'float-branch'
  /** ll.w, ll.d, llacq.w, llacq.d */
  | 'load-linked'
  /** sc.w, sc.d, sc.q, screl.w, screl.d */
  | 'store-conditional'
  /** am*.* */
  | 'amo'
  | 'break'
  | 'syscall'
  /** hvcl, dbcl */
  | 'call'
  | 'ertn'
  | 'idle'
  /** csrrd, csrwr, csrxchg, also of a guest (gcsr…) */
  | 'csr'
  /** iocsr…, cacop, tlb…, invtlb, lddir, ldpte */
  | 'system';

const NOP = 0x0340_0000;

/** The class of an instruction. Opcodes after the LoongArch reference manual, appendix B. */
export function classify(word: number): LoongArchInsnClass {
  if (word === NOP) return 'nop';
  return MAJOR[word >>> 26] ?? classifyMinor(word);
}

/** By the uppermost six bits. */
const MAJOR: Readonly<Record<number, LoongArchInsnClass>> = {
  0x06: 'pc-relative',
  0x07: 'pc-relative',
  0x10: 'branch',
  0x11: 'branch',
  0x12: 'float-branch',
  0x13: 'jirl',
  0x14: 'jump',
  0x15: 'jump',
  0x16: 'branch',
  0x17: 'branch',
  0x18: 'branch',
  0x19: 'branch',
  0x1a: 'branch',
  0x1b: 'branch',
};

/** By the uppermost eight bits, then by the uppermost seventeen. */
function classifyMinor(word: number): LoongArchInsnClass {
  switch (word >>> 24) {
    case 0x04:
    case 0x05:
      return 'csr';
    case 0x06:
      return classifySystem(word);
    case 0x20:
    case 0x22:
      return 'load-linked';
    case 0x21:
    case 0x23:
      return 'store-conditional';
    case 0x38:
      return classifyAtomic(word);
    case 0x00:
      return TRAPS[word >>> 15] ?? 'other';
    default:
      return 'other';
  }
}

const TRAPS: Readonly<Record<number, LoongArchInsnClass>> = {
  0x54: 'break',
  0x55: 'call',
  0x56: 'syscall',
  0x57: 'call',
};

const ERTN = 0x0648_3800;

function classifySystem(word: number): LoongArchInsnClass {
  if (word === ERTN) return 'ertn';
  return word >>> 15 === 0xc91 ? 'idle' : 'system';
}

function classifyAtomic(word: number): LoongArchInsnClass {
  const opcode = word >>> 15;
  if (opcode === 0x70ae) return 'store-conditional';
  if (opcode === 0x70af) return ((word >>> 10) & 1) === 0 ? 'load-linked' : 'store-conditional';
  return opcode >= 0x70b0 && opcode <= 0x70e3 ? 'amo' : 'other';
}
