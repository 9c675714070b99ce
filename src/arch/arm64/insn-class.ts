/**
 * What an instruction does to control flow or the processor's state, as far as someone who moves or simulates it must
 * know, and the forms that are simulated. Everything else that only computes or accesses memory is `other`.
 */
export type Arm64InsnClass =
  | 'other'
  /** b */
  | 'branch'
  /** bl */
  | 'call'
  /** b.cond, bc.cond */
  | 'branch-conditional'
  /** cbz, cbnz */
  | 'compare-branch'
  /** tbz, tbnz */
  | 'test-branch'
  /** br */
  | 'branch-register'
  /** blr */
  | 'call-register'
  /** ret */
  | 'return'
  /** braa, blraa, retaa and their kin */
  | 'branch-authenticated'
  /** eret, eretaa, eretab, drps */
  | 'exception-return'
  /** brk */
  | 'breakpoint'
  /** svc, hvc, smc, hlt, dcps1 to dcps3 */
  | 'exception'
  | 'nop'
  /** bti and its targets */
  | 'bti'
  /** paciasp and the other hints that sign or strip a pointer */
  | 'sign'
  /** All other hints: wfi, wfe, yield, autiasp … */
  | 'hint'
  /** msr of an immediate (DAIFSet, SPSel …), cfinv and its like */
  | 'msr-immediate'
  | 'msr'
  /** mrs of DAIF */
  | 'mrs-daif'
  | 'mrs'
  /** Barriers, clrex, at, dc, ic, tlbi and what else sys does */
  | 'system'
  /** An encoding among branches and system instructions that is not known here */
  | 'branch-or-system'
  /** adr, adrp */
  | 'pc-relative-address'
  /** ldr of a general register from a literal */
  | 'load-literal'
  /** ldrsw from a literal */
  | 'load-literal-signed'
  | 'load-literal-simd'
  | 'prefetch-literal'
  /** ldxr, ldaxr, ldxp …, and caspa, which shares their encodings */
  | 'load-exclusive'
  /** stxr, stlxr, stxp …, and casp, which shares their encodings */
  | 'store-exclusive'
  /** cpyp, setp and what goes on with their work */
  | 'memory-copy'
  /** paciasppc and others that sign or authenticate with the pc */
  | 'sign-pc'
  | 'add-sub-immediate'
  | 'add-sub-shifted'
  | 'logical-shifted'
  | 'move-wide'
  /** ldr, str, ldur … of general registers with an immediate offset; prfm */
  | 'load-store-immediate'
  /** ldp, stp, ldpsw, ldnp, stnp of general registers */
  | 'load-store-pair'
  /** udf and what no instruction set has */
  | 'undefined';

/** A row: words that are `value` under `mask` are of `class`. */
type Pattern = readonly [mask: number, value: number, cls: Arm64InsnClass];

/**
 * Bit patterns after the Arm ARM (DDI 0487), chapter C4, by bits 28 to 25 of the word. Within a group the first
 * pattern that fits counts; `otherwise` is the class of what fits none.
 */
interface Group {
  readonly patterns: readonly Pattern[];
  readonly otherwise: Arm64InsnClass;
}

const RESERVED: Group = { patterns: [[0x8000_0000, 0x8000_0000, 'other']], otherwise: 'undefined' };
const UNALLOCATED: Group = { patterns: [], otherwise: 'undefined' };
const SCALABLE: Group = { patterns: [], otherwise: 'other' };

const IMMEDIATE: Group = {
  patterns: [
    [0x1f00_0000, 0x1000_0000, 'pc-relative-address'],
    [0x1f80_0000, 0x1100_0000, 'add-sub-immediate'],
    [0x1f80_0000, 0x1280_0000, 'move-wide'],
    [0xff80_0000, 0xf380_0000, 'sign-pc'],
  ],
  otherwise: 'other',
};

const BRANCH: Group = {
  patterns: [
    [0xfc00_0000, 0x1400_0000, 'branch'],
    [0xfc00_0000, 0x9400_0000, 'call'],
    [0xff00_0000, 0x5400_0000, 'branch-conditional'],
    [0x7e00_0000, 0x3400_0000, 'compare-branch'],
    [0x7e00_0000, 0x3600_0000, 'test-branch'],
    [0xffff_fc1f, 0xd61f_0000, 'branch-register'],
    [0xffff_fc1f, 0xd63f_0000, 'call-register'],
    [0xffff_fc1f, 0xd65f_0000, 'return'],
    [0xfedf_f800, 0xd61f_0800, 'branch-authenticated'],
    [0xffff_fbff, 0xd65f_0bff, 'branch-authenticated'],
    [0xffff_ffff, 0xd69f_03e0, 'exception-return'],
    [0xffff_fbff, 0xd69f_0bff, 'exception-return'],
    [0xffff_ffff, 0xd6bf_03e0, 'exception-return'],
    [0xffe0_001f, 0xd420_0000, 'breakpoint'],
    [0xff00_0000, 0xd400_0000, 'exception'],
    [0xffff_ffff, 0xd503_201f, 'nop'],
    [0xffff_ff3f, 0xd503_241f, 'bti'],
    // pacia1716, pacib1716; paciaz, paciasp, pacibz, pacibsp; xpaclri.
    [0xffff_ffbf, 0xd503_211f, 'sign'],
    [0xffff_ff9f, 0xd503_231f, 'sign'],
    [0xffff_ffff, 0xd503_20ff, 'sign'],
    [0xffff_f01f, 0xd503_201f, 'hint'],
    [0xfff8_f01f, 0xd500_401f, 'msr-immediate'],
    // wfet and wfit; barriers.
    [0xffff_ffc0, 0xd503_1000, 'system'],
    [0xffff_f000, 0xd503_3000, 'system'],
    [0xffd8_0000, 0xd508_0000, 'system'],
    [0xfff0_0000, 0xd510_0000, 'msr'],
    [0xffff_ffe0, 0xd53b_4220, 'mrs-daif'],
    [0xfff0_0000, 0xd530_0000, 'mrs'],
  ],
  otherwise: 'branch-or-system',
};

const MEMORY: Group = {
  patterns: [
    [0x3fc0_0000, 0x0840_0000, 'load-exclusive'],
    [0x3fc0_0000, 0x0800_0000, 'store-exclusive'],
    [0xbf00_0000, 0x1800_0000, 'load-literal'],
    [0xff00_0000, 0x9800_0000, 'load-literal-signed'],
    [0xff00_0000, 0xd800_0000, 'prefetch-literal'],
    [0x3f00_0000, 0x1c00_0000, 'load-literal-simd'],
    [0x3b20_0c00, 0x1900_0400, 'memory-copy'],
    [0x3f00_0000, 0x3900_0000, 'load-store-immediate'],
    // Unscaled, behind or before the access; 0x800 would be the forms of unprivileged access.
    [0x3f20_0c00, 0x3800_0000, 'load-store-immediate'],
    [0x3f20_0c00, 0x3800_0400, 'load-store-immediate'],
    [0x3f20_0c00, 0x3800_0c00, 'load-store-immediate'],
    [0x3e00_0000, 0x2800_0000, 'load-store-pair'],
  ],
  otherwise: 'other',
};

const REGISTER: Group = {
  patterns: [
    [0x1f00_0000, 0x0a00_0000, 'logical-shifted'],
    [0x1f20_0000, 0x0b00_0000, 'add-sub-shifted'],
    [0xffff_8000, 0xdac1_8000, 'sign-pc'],
  ],
  otherwise: 'other',
};

const SIMD: Group = { patterns: [], otherwise: 'other' };

/** By bits 28 to 25. */
const GROUPS: readonly Group[] = [
  RESERVED,
  UNALLOCATED,
  SCALABLE,
  UNALLOCATED,
  MEMORY,
  REGISTER,
  MEMORY,
  SIMD,
  IMMEDIATE,
  IMMEDIATE,
  BRANCH,
  BRANCH,
  MEMORY,
  REGISTER,
  MEMORY,
  SIMD,
];

/** The class of an A64 instruction word. */
export function classifyArm64(word: number): Arm64InsnClass {
  const { patterns, otherwise } = GROUPS[(word >>> 25) & 0xf];
  for (const [mask, value, cls] of patterns) if (((word & mask) ^ value) === 0) return cls;
  return otherwise;
}

/** The instruction word at `offset`; instructions are little-endian whatever data are. */
export function insnWord(bytes: Uint8Array, offset = 0): number {
  return bytes[offset] | (bytes[offset + 1] << 8) | (bytes[offset + 2] << 16) | (bytes[offset + 3] << 24);
}
