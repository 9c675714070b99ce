import { BpfProgType } from '../../base/index.js';
import type { ProgramInput } from '../executable.js';
import {
  BPF_ABS,
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_ARSH,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_DIV,
  BPF_END,
  BPF_EXIT,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_K,
  BPF_LD,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_NEG,
  BPF_REG_FP,
  BPF_RSH,
  BPF_ST,
  BPF_STX,
  BPF_X,
  INSN_FORMS,
  LDIMM64,
  MAX_BPF_REG,
  classOf,
  formOf,
  modeOf,
  opOf,
  sourceOf,
  type Insn,
  type InsnForm,
} from '../isa/index.js';
import type { Refusal } from './check-error.js';
import type { CheckOptions } from './check-program.js';
import { CALLX } from './jumps.js';

/** Program types whose packets LD_ABS and LD_IND may read. */
const packetTypes: ReadonlySet<number> = new Set([
  BpfProgType.BPF_PROG_TYPE_SOCKET_FILTER,
  BpfProgType.BPF_PROG_TYPE_SCHED_CLS,
  BpfProgType.BPF_PROG_TYPE_SCHED_ACT,
]);

const atomicImmediates: ReadonlySet<number> = new Set(
  INSN_FORMS.filter((form) => classOf(form.code) === BPF_STX && modeOf(form.code) === BPF_ATOMIC).map((form) =>
    Number(form.imm),
  ),
);

/**
 * What is wrong with the fields of one instruction whose code is known: reserved fields, registers, immediates.
 * The checks stand in the kernel's order, so that of several mistakes the same one is named.
 */
export function refusalOf(insn: Insn, input: ProgramInput, options: CheckOptions): Refusal | undefined {
  if (options.plugin === true && insn.code === CALLX) return callxRefusal(insn);
  const early = isComparison(insn) ? badRegister(insn.dst) : isPacketLoad(insn) ? wrongProgramType(input) : undefined;
  if (early !== undefined) return early;
  const form = formOf(insn);
  if (form === undefined || (options.plugin === true && insn.code === (BPF_JMP | BPF_EXIT) && insn.off !== 0)) {
    return { code: 'EINVAL', verdict: reservedFields(insn) };
  }
  return castRefusal(form) ?? registerRefusal(insn, form) ?? immediateRefusal(insn, options) ?? frameWrite(insn, form);
}

function callxRefusal(insn: Insn): Refusal | undefined {
  if (insn.src !== 0 || insn.off !== 0 || insn.imm !== 0) {
    return { code: 'EINVAL', verdict: 'BPF_CALL uses reserved fields' };
  }
  return badRegister(insn.dst);
}

function isComparison(insn: Insn): boolean {
  const cls = classOf(insn.code);
  const op = opOf(insn.code);
  if (cls !== BPF_JMP && cls !== BPF_JMP32) return false;
  return op !== BPF_JA && op !== BPF_CALL && op !== BPF_EXIT && op !== BPF_JCOND;
}

function isPacketLoad(insn: Insn): boolean {
  const mode = modeOf(insn.code);
  return classOf(insn.code) === BPF_LD && (mode === BPF_ABS || mode === BPF_IND);
}

function wrongProgramType(input: ProgramInput): Refusal | undefined {
  if (packetTypes.has(input.type)) return undefined;
  return {
    code: 'EINVAL',
    verdict: 'BPF_LD_[ABS|IND] instructions not allowed for this program type',
    remedy: 'they read the packets of socket_filter, sched_cls and sched_act programs',
  };
}

function reservedFields(insn: Insn): string {
  switch (classOf(insn.code)) {
    case BPF_ALU:
    case BPF_ALU64:
      return reservedAluFields(insn);
    case BPF_JMP:
    case BPF_JMP32:
      return reservedJumpFields(insn);
    case BPF_ST:
      return 'BPF_ST uses reserved fields';
    case BPF_STX:
      return modeOf(insn.code) === BPF_ATOMIC ? wrongAtomic(insn) : 'BPF_STX uses reserved fields';
    default:
      return insn.code === LDIMM64 ? 'BPF_LD_IMM64 uses reserved fields' : 'BPF_LD_[ABS|IND] uses reserved fields';
  }
}

function reservedAluFields(insn: Insn): string {
  switch (opOf(insn.code)) {
    case BPF_END:
      return 'BPF_END uses reserved fields';
    case BPF_NEG:
      return 'BPF_NEG uses reserved fields';
    case BPF_MOV:
      return insn.code === (BPF_ALU64 | BPF_MOV | BPF_X) && insn.off === BPF_ADDR_SPACE_CAST
        ? 'addr_space_cast insn can only convert between address space 1 and 0'
        : 'BPF_MOV uses reserved fields';
    default:
      return 'BPF_ALU uses reserved fields';
  }
}

function reservedJumpFields(insn: Insn): string {
  switch (opOf(insn.code)) {
    case BPF_JA:
      return 'BPF_JA uses reserved fields';
    case BPF_CALL:
      return 'BPF_CALL uses reserved fields';
    case BPF_EXIT:
      return 'BPF_EXIT uses reserved fields';
    case BPF_JCOND:
      return `invalid may_goto imm ${insn.imm}`;
    default:
      return 'BPF_JMP/JMP32 uses reserved fields';
  }
}

/** An operation exists but not at this size, or does not exist at all. */
function wrongAtomic(insn: Insn): string {
  if (atomicImmediates.has(insn.imm)) return 'invalid atomic operand size';
  return `BPF_ATOMIC uses invalid atomic opcode ${(insn.imm >>> 0).toString(16).padStart(2, '0')}`;
}

/** There are no arenas, so nothing to cast into. */
function castRefusal(form: InsnForm): Refusal | undefined {
  if (form.code !== (BPF_ALU64 | BPF_MOV | BPF_X) || form.off !== BPF_ADDR_SPACE_CAST) return undefined;
  const verdict = 'addr_space_cast insn can only be used in a program that has an associated arena';
  return { code: 'EINVAL', verdict };
}

function registerRefusal(insn: Insn, form: InsnForm): Refusal | undefined {
  const source = typeof form.src === 'number' ? undefined : badRegister(insn.src);
  return source ?? (form.dst === 'unused' ? undefined : badRegister(insn.dst));
}

function badRegister(register: number): Refusal | undefined {
  if (register < MAX_BPF_REG) return undefined;
  return { code: 'EINVAL', verdict: `R${register} is invalid`, remedy: 'registers are r0 to r10' };
}

/** Division by zero and shifts past the width: policy of Linux's verifier, with a meaning in RFC 9669. */
function immediateRefusal(insn: Insn, options: CheckOptions): Refusal | undefined {
  const cls = classOf(insn.code);
  if (options.plugin === true || (cls !== BPF_ALU && cls !== BPF_ALU64) || sourceOf(insn.code) !== BPF_K) {
    return undefined;
  }
  switch (opOf(insn.code)) {
    case BPF_DIV:
    case BPF_MOD:
      return insn.imm === 0 ? { code: 'EINVAL', verdict: 'div by zero' } : undefined;
    case BPF_LSH:
    case BPF_RSH:
    case BPF_ARSH: {
      const width = cls === BPF_ALU64 ? 64 : 32;
      if (insn.imm >= 0 && insn.imm < width) return undefined;
      return { code: 'EINVAL', verdict: `invalid shift ${insn.imm}`, remedy: `shift by 0 to ${width - 1}` };
    }
    default:
      return undefined;
  }
}

function frameWrite(insn: Insn, form: InsnForm): Refusal | undefined {
  const writesDst = (form.dst === 'write' || form.dst === 'update') && insn.dst === BPF_REG_FP;
  const writesSrc = form.src === 'update' && insn.src === BPF_REG_FP;
  return writesDst || writesSrc ? { code: 'EACCES', verdict: 'frame pointer is read only' } : undefined;
}
