import { BpfError } from '../../base/index.js';
import type { CoreValue } from './core-value.js';

/** An instruction slot as the patcher sees it: the runtime's `Insn` has this shape. */
export interface CoreInsn {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

/** Call of a helper that does not exist, by which libbpf marks failed relocations: 0xbad2310, "bad relo". */
export const CORE_POISON_IMM = 195896080;

const CLASS_MASK = 0x07;
const SIZE_MASK = 0x18;
const MODE_MASK = 0xe0;
const SOURCE_REGISTER = 0x08;
const BPF_LD = 0x00;
const BPF_LDX = 0x01;
const BPF_ST = 0x02;
const BPF_STX = 0x03;
const BPF_ALU = 0x04;
const BPF_ALU64 = 0x07;
const BPF_LD_IMM64 = 0x18;
const BPF_CALL = 0x85;

const bytesBySizeBits: Readonly<Record<number, number>> = { 0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8 };
const sizeBitsByBytes: Readonly<Record<number, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };

const POISON: CoreInsn = { code: BPF_CALL, dst: 0, src: 0, off: 0, imm: CORE_POISON_IMM };

/**
 * Puts a relocation's value into the instruction at `index`, in place. Takes what libbpf takes: ALU operations with
 * an immediate, loads and stores (offset, and width where the field's differs), and 64-bit immediate loads.
 * Returns whether the instruction was poisoned. An instruction of another form, or one that does not hold the
 * value the compiler is known to have put there, is a `BpfError`.
 */
export function patchCoreInsn(insns: CoreInsn[], index: number, value: CoreValue): boolean {
  const insn = insns[index];
  if (value.poison) return poison(insns, index);
  switch (insn.code & CLASS_MASK) {
    case BPF_ALU:
    case BPF_ALU64:
      insns[index] = patchImmediate(insn, value);
      return false;
    case BPF_LDX:
    case BPF_ST:
    case BPF_STX: {
      const patched = patchOffset(insn, value);
      if (patched === undefined) return poison(insns, index);
      insns[index] = patched;
      return false;
    }
    case BPF_LD:
      patchWideImmediate(insns, index, value);
      return false;
    default:
      throw unexpected(
        'CO-RE relocation of an instruction that cannot be relocated',
        `code 0x${insn.code.toString(16)}`,
      );
  }
}

/** Both slots of a wide load are replaced, lest the second one be taken for an instruction of its own. */
function poison(insns: CoreInsn[], index: number): true {
  if (insns[index].code === BPF_LD_IMM64 && index + 1 < insns.length) insns[index + 1] = POISON;
  insns[index] = POISON;
  return true;
}

function patchImmediate(insn: CoreInsn, value: CoreValue): CoreInsn {
  if ((insn.code & SOURCE_REGISTER) !== 0)
    throw unexpected('CO-RE relocation of a register operation', `code 0x${insn.code.toString(16)}`);
  expectOriginal(value, BigInt.asUintN(64, BigInt(insn.imm)));
  return { ...insn, imm: Number(BigInt.asIntN(32, value.replacement)) };
}

function patchOffset(insn: CoreInsn, value: CoreValue): CoreInsn | undefined {
  expectOriginal(value, BigInt.asUintN(64, BigInt(insn.off)));
  if (value.replacement > 0x7fffn) {
    throw new BpfError('ERANGE', 'field lies too far into its type for a load or store', {
      section: '.BTF.ext',
      value: value.replacement,
      remedy: 'offsets of loads and stores end at 32767; read the field through its address',
    });
  }
  if (value.cannotResize) return undefined;
  const moved = { ...insn, off: Number(value.replacement) };
  return value.replacementSize === value.originalSize ? moved : resize(moved, value);
}

function resize(insn: CoreInsn, value: CoreValue): CoreInsn {
  const width = bytesBySizeBits[insn.code & SIZE_MASK];
  if (width !== value.originalSize)
    throw unexpected(`load or store does not have the width of its field (${value.originalSize})`, width);
  const sizeBits = sizeBitsByBytes[value.replacementSize];
  if (sizeBits === undefined)
    throw unexpected('no load or store has the width of the field in the target', value.replacementSize);
  return { ...insn, code: (insn.code & (MODE_MASK | CLASS_MASK)) | sizeBits };
}

function patchWideImmediate(insns: CoreInsn[], index: number, value: CoreValue): void {
  const low = insns[index];
  const high: CoreInsn | undefined = insns[index + 1];
  const isWideLoad = low.code === BPF_LD_IMM64 && low.src === 0 && low.off === 0;
  if (!isWideLoad || high === undefined || high.code !== 0 || high.dst !== 0 || high.src !== 0 || high.off !== 0) {
    throw unexpected('CO-RE relocation of a malformed 64-bit immediate load', `code 0x${low.code.toString(16)}`);
  }
  expectOriginal(value, (BigInt(high.imm >>> 0) << 32n) | BigInt(low.imm >>> 0));
  insns[index] = { ...low, imm: Number(BigInt.asIntN(32, value.replacement)) };
  insns[index + 1] = { ...high, imm: Number(BigInt.asIntN(32, value.replacement >> 32n)) };
}

function expectOriginal(value: CoreValue, actual: bigint): void {
  if (!value.validate || actual === value.original) return;
  throw new BpfError('EINVAL', `CO-RE relocation does not find ${value.original} in its instruction`, {
    section: '.BTF.ext',
    value: actual,
    remedy: 'instructions and .BTF.ext do not belong together; compile the object anew',
  });
}

function unexpected(what: string, value: string | number): BpfError {
  return new BpfError('EINVAL', what, {
    section: '.BTF.ext',
    value,
    remedy: 'the object is corrupt or from an unknown compiler',
  });
}
