import { BpfFuncId, BpfPseudo, u64 } from '../../base/index.js';
import type { Insn } from './insn.js';
import {
  BPF_ABS,
  BPF_ADD,
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_AND,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_DIV,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MAY_GOTO,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOD,
  BPF_MOV,
  BPF_NEG,
  BPF_OR,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_TO_BE,
  BPF_X,
  BPF_XCHG,
  BPF_XOR,
  LDIMM64,
  classOf,
  modeOf,
  opOf,
  sizeInBytes,
  sizeOf,
  sourceOf,
} from './opcodes.js';

/** How names enter the text, as in the kernel's struct bpf_insn_cbs. */
export interface DisassemblyNames {
  /** The name of a call target that is no helper: a kfunc, or a subprogram where `+3` is not wanted. */
  readonly call?: (insn: Insn, index: number) => string | undefined;
  /** The text of a 64-bit immediate, such as `map[id:5]`. */
  readonly imm64?: (insn: Insn, value: bigint, index: number) => string | undefined;
}

/** One instruction in the verifier's text; the slots of a 64-bit immediate load are one instruction. */
export interface DisassembledInsn {
  /** Slot of the instruction. */
  readonly index: number;
  /** For instance `(b7) r0 = 42`. */
  readonly text: string;
}

/** `off` of a move that the kernel makes for itself, from a per-CPU offset to this CPU's address. */
const BPF_ADDR_PERCPU = -1;

const aluOperators = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', 'neg', '%=', '^=', '=', 's>>=', 'endian'];
const jumpOperators = ['jmp', '==', '>', '>=', '&', '!=', 's>', 's>=', 'call', 'exit', '<', '<=', 's<', 's<='];

const helperNames: ReadonlyMap<number, string> = new Map([
  [0, 'bpf_unspec'],
  ...Object.entries(BpfFuncId).map(([name, id]): [number, string] => [id, name.replace('BPF_FUNC_', 'bpf_')]),
]);

const atomicNames: ReadonlyMap<number, string> = new Map([
  [BPF_ADD, 'add'],
  [BPF_OR, 'or'],
  [BPF_AND, 'and'],
  [BPF_XOR, 'xor'],
]);

/** All instructions in the verifier's text. */
export function disassemble(insns: readonly Insn[], names: DisassemblyNames = {}): DisassembledInsn[] {
  const lines: DisassembledInsn[] = [];
  for (let index = 0; index < insns.length; index += isImm64(insns[index]) ? 2 : 1) {
    lines.push({ index, text: disassembleInsn(insns, index, names) });
  }
  return lines;
}

/**
 * The text of the instruction at slot `index`, character for character what the verifier of Linux 6.18 prints
 * at log level 2. Any slot has a text: codes the verifier never prints come out as `BUG_` and the code.
 */
export function disassembleInsn(insns: readonly Insn[], index: number, names: DisassemblyNames = {}): string {
  const insn = insns[index];
  const code = `(${insn.code.toString(16).padStart(2, '0')})`;
  switch (classOf(insn.code)) {
    case BPF_ALU:
    case BPF_ALU64:
      return `${code} ${aluText(insn)}`;
    case BPF_JMP:
    case BPF_JMP32:
      return `${code} ${jumpText(insn, index, names)}`;
    case BPF_LDX:
      return isLoad(insn) ? `${code} ${loadText(insn)}` : bug('BUG_ldx_', insn);
    case BPF_ST:
      return modeOf(insn.code) === BPF_MEM ? `${code} ${at(insn, insn.dst)} = ${insn.imm}` : bug('BUG_st_', insn);
    case BPF_STX: {
      const text = storeText(insn);
      return text === undefined ? bug('BUG_', insn) : `${code} ${text}`;
    }
    default: {
      const text = packetOrImm64Text(insns, index, names);
      return text === undefined ? bug('BUG_ld_', insn) : `${code} ${text}`;
    }
  }
}

function bug(prefix: string, insn: Insn): string {
  return `${prefix}${insn.code.toString(16).padStart(2, '0')}`;
}

function isImm64(insn: Insn): boolean {
  return insn.code === LDIMM64;
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

/** `*(u32 *)(r1 +4)` */
function at(insn: Insn, base: number, sign: 'u' | 's' = 'u'): string {
  return `*(${typeName(insn, sign)} *)(r${base} ${signed(insn.off)})`;
}

/** `(u32 *)(r1 +4)`, as the functions of atomic operations take it. */
function pointer(insn: Insn, base: number): string {
  return at(insn, base).slice(1);
}

function typeName(insn: Insn, sign: 'u' | 's' = 'u'): string {
  return `${sign}${sizeInBytes(sizeOf(insn.code)) * 8}`;
}

function aluText(insn: Insn): string {
  const op = opOf(insn.code);
  const wide = classOf(insn.code) === BPF_ALU64;
  const register = wide ? 'r' : 'w';
  const dst = `${register}${insn.dst}`;
  if (op === BPF_END) return `r${insn.dst} = ${swapName(insn, wide)}${insn.imm} r${insn.dst}`;
  if (op === BPF_NEG) return `${dst} = -${dst}`;
  if (wide && op === BPF_MOV && sourceOf(insn.code) === BPF_X) {
    const cast = castText(insn);
    if (cast !== undefined) return `${dst} = ${cast}`;
  }
  const signedDivision = (op === BPF_DIV || op === BPF_MOD) && insn.off === 1;
  const operator = `${signedDivision ? 's' : ''}${aluOperators[op >> 4] ?? '(null)'}`;
  if (sourceOf(insn.code) !== BPF_X) return `${dst} ${operator} ${insn.imm}`;
  return `${dst} ${operator} ${signExtension(insn)}${register}${insn.src}`;
}

/** Moves that change what a pointer means. */
function castText(insn: Insn): string | undefined {
  switch (insn.off) {
    case BPF_ADDR_SPACE_CAST:
      return `addr_space_cast(r${insn.src}, ${insn.imm >>> 16}, ${insn.imm & 0xffff})`;
    case BPF_ADDR_PERCPU:
      return `&(void __percpu *)(r${insn.src})`;
    default:
      return undefined;
  }
}

function swapName(insn: Insn, wide: boolean): string {
  if (wide) return 'bswap';
  return sourceOf(insn.code) === BPF_TO_BE ? 'be' : 'le';
}

function signExtension(insn: Insn): string {
  const extends_ = opOf(insn.code) === BPF_MOV && (insn.off === 8 || insn.off === 16 || insn.off === 32);
  return extends_ ? `(s${insn.off})` : '';
}

function jumpText(insn: Insn, index: number, names: DisassemblyNames): string {
  const op = opOf(insn.code);
  if (op === BPF_CALL) return callText(insn, index, names);
  if (insn.code === (BPF_JMP | BPF_JA)) return `goto pc${signed(insn.off)}`;
  if (insn.code === (BPF_JMP | BPF_JCOND) && insn.src === BPF_MAY_GOTO) return `may_goto pc${signed(insn.off)}`;
  if (insn.code === (BPF_JMP32 | BPF_JA)) return `gotol pc${signed(insn.imm)}`;
  if (insn.code === (BPF_JMP | BPF_EXIT)) return 'exit';
  const register = classOf(insn.code) === BPF_JMP32 ? 'w' : 'r';
  const right = sourceOf(insn.code) === BPF_X ? `${register}${insn.src}` : `0x${(insn.imm >>> 0).toString(16)}`;
  const operator = jumpOperators[op >> 4] ?? '(null)';
  return `if ${register}${insn.dst} ${operator} ${right} goto pc${signed(insn.off)}`;
}

function callText(insn: Insn, index: number, names: DisassemblyNames): string {
  if (insn.src === BpfPseudo.BPF_PSEUDO_CALL) {
    return `call pc${names.call?.(insn, index) ?? signed(insn.imm)}`;
  }
  const helper = insn.src === 0 ? helperNames.get(insn.imm) : undefined;
  const unnamed = insn.src === BpfPseudo.BPF_PSEUDO_KFUNC_CALL ? 'kernel-function' : 'unknown';
  return `call ${helper ?? names.call?.(insn, index) ?? unnamed}#${insn.imm}`;
}

function isLoad(insn: Insn): boolean {
  return modeOf(insn.code) === BPF_MEM || modeOf(insn.code) === BPF_MEMSX;
}

function loadText(insn: Insn): string {
  return `r${insn.dst} = ${at(insn, insn.src, modeOf(insn.code) === BPF_MEM ? 'u' : 's')}`;
}

function storeText(insn: Insn): string | undefined {
  if (modeOf(insn.code) === BPF_MEM) return `${at(insn, insn.dst)} = r${insn.src}`;
  return modeOf(insn.code) === BPF_ATOMIC ? atomicText(insn) : undefined;
}

function atomicText(insn: Insn): string | undefined {
  const cell = pointer(insn, insn.dst);
  const atomic = sizeInBytes(sizeOf(insn.code)) === 8 ? 'atomic64' : 'atomic';
  switch (insn.imm) {
    case BPF_XCHG:
      return `r${insn.src} = ${atomic}_xchg(${cell}, r${insn.src})`;
    case BPF_CMPXCHG:
      return `r0 = ${atomic}_cmpxchg(${cell}, r0, r${insn.src})`;
    case BPF_LOAD_ACQ:
      return `r${insn.dst} = load_acquire(${pointer(insn, insn.src)})`;
    case BPF_STORE_REL:
      return `store_release(${cell}, r${insn.src})`;
  }
  const name = atomicNames.get(insn.imm & ~BPF_FETCH);
  if (name === undefined) return undefined;
  if ((insn.imm & BPF_FETCH) !== 0) return `r${insn.src} = ${atomic}_fetch_${name}(${cell}, r${insn.src})`;
  return `lock *${cell} ${aluOperators[insn.imm >> 4]} r${insn.src}`;
}

function packetOrImm64Text(insns: readonly Insn[], index: number, names: DisassemblyNames): string | undefined {
  const insn = insns[index];
  if (isImm64(insn)) {
    const value = u64(insn.imm, insns[index + 1]?.imm ?? 0);
    return `r${insn.dst} = ${names.imm64?.(insn, value, index) ?? `0x${value.toString(16)}`}`;
  }
  const mode = modeOf(insn.code);
  if (classOf(insn.code) !== BPF_LD || (mode !== BPF_ABS && mode !== BPF_IND)) return undefined;
  const where = mode === BPF_ABS ? `${insn.imm}` : `r${insn.src} + ${insn.imm}`;
  return `r0 = *(${typeName(insn)} *)skb[${where}]`;
}
