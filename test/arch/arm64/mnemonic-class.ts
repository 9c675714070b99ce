import type { Arm64InsnClass } from '../../../src/arch/index.js';

/** Mnemonics that say the class alone. */
const BY_NAME: Readonly<Record<string, Arm64InsnClass>> = Object.fromEntries(
  Object.entries({
    branch: 'b',
    call: 'bl',
    'compare-branch': 'cbz cbnz',
    'test-branch': 'tbz tbnz',
    'branch-register': 'br',
    'call-register': 'blr',
    return: 'ret',
    'branch-authenticated': 'braa braaz brab brabz blraa blraaz blrab blrabz retaa retab',
    'exception-return': 'eret eretaa eretab drps',
    breakpoint: 'brk',
    exception: 'svc hvc smc hlt dcps1 dcps2 dcps3 tcancel',
    nop: 'nop',
    bti: 'bti',
    sign: 'xpaclri pacia1716 pacib1716 paciaz paciasp pacibz pacibsp',
    hint: 'hint yield wfe wfi sev sevl dgh esb psb tsb csdb clearbhb autia1716 autib1716 autiaz autiasp autibz autibsp',
    'msr-immediate': 'cfinv xaflag axflag smstart smstop',
    system: 'isb dsb dmb sb ssbb pssbb dfb clrex tcommit at dc ic tlbi sys sysl cfp dvp cpp wfet wfit',
    'branch-or-system': 'tstart ttest',
    'load-exclusive': 'ldxr ldxrb ldxrh ldaxr ldaxrb ldaxrh ldxp ldaxp caspa caspal',
    'store-exclusive': 'stxr stxrb stxrh stlxr stlxrb stlxrh stxp stlxp casp caspl',
    'move-wide': 'movz movn movk',
    undefined: 'udf',
  } satisfies Partial<Record<Arm64InsnClass, string>>).flatMap(([cls, names]) =>
    names.split(' ').map((name) => [name, cls as Arm64InsnClass]),
  ),
);

const GENERAL = /^(?:[wx](?:\d+|zr)|w?sp)$/;
const STACK = /^w?sp$/;
const LITERAL = /^0x[0-9a-f]+$/;

/**
 * The class that an instruction has by the text that GNU objdump prints for it; null where it prints none. It knows
 * nothing of encodings: what the decoder under test says by bits, this says by names and operands.
 */
export function classByText(text: string): Arm64InsnClass | null {
  const [instruction] = text.split(' //') as [string];
  const [name, ...rest] = instruction.split(' ') as [string, ...string[]];
  if (name === '.inst' || name === '') return null;
  const operands = splitOperands(rest.join(' '));
  return BY_NAME[name] ?? byPattern(name) ?? byOperands(name, operands) ?? 'other';
}

/** At commas outside of brackets. */
function splitOperands(text: string): string[] {
  return text
    .split(/,(?![^[]*\])/)
    .map((operand) => operand.trim())
    .filter((operand) => operand !== '');
}

function byPattern(name: string): Arm64InsnClass | null {
  if (/^bc?\.[a-z]+$/.test(name)) return 'branch-conditional';
  if (/^(?:cpyf?[pme]|setg?[pme])[a-z]*$/.test(name)) return 'memory-copy';
  return null;
}

function byOperands(name: string, operands: readonly string[]): Arm64InsnClass | null {
  // Register names that objdump makes up for what is no access to a register.
  if (/^m(?:sr|rs)$/.test(name) && operands.some((operand) => operand.startsWith('s0_'))) return 'branch-or-system';
  if (name === 'mrs') return operands[1] === 'daif' ? 'mrs-daif' : 'mrs';
  if (name === 'msr') return operands[1].startsWith('#') ? 'msr-immediate' : 'msr';
  if (/^(?:ld|st)u?r(?:s?[bh]|sw)?$|^prfu?m$/.test(name)) return ofAccess(name, operands);
  const general = GENERAL.test(operands[0] ?? '');
  if (!general) return null;
  if (/^(?:ldp|stp|ldpsw|ldnp|stnp|stgp)$/.test(name)) return 'load-store-pair';
  if (/^adrp?$/.test(name)) return 'pc-relative-address';
  if (name === 'mov') return ofMove(operands as [string, string]);
  if (/^(?:adds?|subs?|cmp|cmn|negs?)$/.test(name)) return ofAddition(operands);
  if (/^(?:ands?|orr|eor|bics?|orn|eon|tst|mvn)$/.test(name)) {
    return operands.some((operand) => operand.startsWith('#')) ? null : 'logical-shifted';
  }
  return null;
}

function ofAccess(name: string, operands: readonly string[]): Arm64InsnClass | null {
  const [register, place] = operands as [string, string];
  const prefetch = name.startsWith('prf');
  if (LITERAL.test(place)) {
    if (prefetch) return 'prefetch-literal';
    if (!GENERAL.test(register)) return 'load-literal-simd';
    return name === 'ldrsw' ? 'load-literal-signed' : 'load-literal';
  }
  if (!prefetch && !GENERAL.test(register)) return null;
  // SVE's prefetches are called prfb to prfd; what is left has an index register or an immediate.
  return /^\[(?:x\d+|sp)(?:, #-?\d+)?\]!?$/.test(place) ? 'load-store-immediate' : null;
}

function ofMove([target, source]: readonly [string, string]): Arm64InsnClass | null {
  // Only orr writes an immediate to the stack pointer.
  if (source.startsWith('#'))
    return !STACK.test(target) && isWideImmediate(BigInt(source.slice(1)), target) ? 'move-wide' : null;
  if (!GENERAL.test(source)) return null;
  return STACK.test(target) || STACK.test(source) ? 'add-sub-immediate' : 'logical-shifted';
}

/** Whether movz or movn makes the number; then orr with an immediate is not called mov. */
function isWideImmediate(value: bigint, target: string): boolean {
  const width = target.startsWith('w') ? 32 : 64;
  const isChunk = (number: bigint): boolean =>
    [0n, 16n, 32n, 48n].some((shift) => (number & ~(0xffffn << shift)) === 0n);
  return isChunk(BigInt.asUintN(width, value)) || isChunk(BigInt.asUintN(width, ~value));
}

function ofAddition(operands: readonly string[]): Arm64InsnClass | null {
  const modifier = /^(?:lsl|lsr|asr|ror) #\d+$/.test(operands.at(-1) as string);
  const last = modifier ? operands.at(-2) : operands.at(-1);
  if ((last as string).startsWith('#')) return 'add-sub-immediate';
  const registers = modifier ? operands.slice(0, -1) : operands;
  // The stack pointer occurs with extended registers only, and so does uxtw and the like.
  return registers.every((operand) => GENERAL.test(operand) && !STACK.test(operand)) ? 'add-sub-shifted' : null;
}
