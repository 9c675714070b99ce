import { BpfProgType, BpfPseudo } from '../../../src/base/index.js';
import {
  alu32Imm,
  alu64Imm,
  alu64Reg,
  atomic,
  BPF_ADD,
  BPF_ARSH,
  BPF_B,
  BPF_CALL,
  BPF_DIV,
  BPF_DW,
  BPF_EXIT,
  BPF_FETCH,
  BPF_H,
  BPF_JA,
  BPF_JEQ,
  BPF_JMP,
  BPF_JMP32,
  BPF_LOAD_ACQ,
  BPF_LSH,
  BPF_MOD,
  BPF_MOV,
  BPF_RSH,
  BPF_STORE_REL,
  BPF_W,
  BPF_X,
  BPF_XCHG,
  call,
  callSubprog,
  callx,
  endian,
  exit,
  formsOfCode,
  gotol,
  insn,
  ja,
  jmpImm,
  jmpReg,
  ldImm64,
  ldx,
  mayGoto,
  mov64Imm,
  mov64Reg,
  movsx32,
  movsx64,
  neg32,
  neg64,
  st,
  stx,
  type Insn,
} from '../../../src/runtime/isa/index.js';

/** A program whose structure Linux judges. */
export interface CheckCase {
  readonly name: string;
  readonly insns: readonly Insn[];
  /** BpfProgType number; socket_filter if absent. */
  readonly type?: number;
}

const nop = mov64Imm(0, 0);
const end = [nop, exit()];
const never = jmpImm(BPF_JEQ, 10, 0, 0);

/** What follows a branch that values rule out: Linux walks past it, its static stages do not. */
function dead(...insns: Insn[]): Insn[] {
  return [mov64Imm(0, 0), jmpImm(BPF_JEQ, 0, 0, insns.length), ...insns, ...end];
}

/** main calls f1, f1 calls f2 ... : `calls` + 1 frames. */
function callChain(calls: number): Insn[] {
  return [...Array.from({ length: calls }, () => [callSubprog(2), nop, exit()]).flat(), ...end];
}

function manySubprogs(count: number): Insn[] {
  const calls = Array.from({ length: count }, (_, i) => callSubprog(count + 1 + i));
  return [...calls, ...end, ...Array.from({ length: count }, () => end).flat()];
}

const slot = (imm: number): Insn => insn(0, 0, 0, 0, imm);
const [imm64] = ldImm64(1, 5n);

const size: CheckCase[] = [
  { name: 'empty', insns: [] },
  { name: 'one instruction too many', insns: [...Array.from({ length: 1_000_000 }, () => nop), exit()] },
];

const ends: CheckCase[] = [
  { name: 'ends with a move', insns: [nop] },
  { name: 'ends with a conditional jump', insns: [nop, jmpImm(BPF_JEQ, 0, 0, -1)] },
  { name: 'ends with a call', insns: [nop, call(7)] },
  { name: 'ends with may_goto', insns: [nop, mayGoto(-1)] },
  { name: 'ends with half a 64-bit immediate', insns: [nop, imm64] },
  { name: 'ends with goto', insns: [ja(2), ...end, ja(-3)] },
];

const jumps: CheckCase[] = [
  { name: 'goto before the program', insns: [ja(-2), ...end] },
  { name: 'goto past the program', insns: [ja(100), ...end] },
  { name: 'branch past the program', insns: [jmpImm(BPF_JEQ, 1, 0, 100), ...end] },
  { name: 'branch to one past the end', insns: [jmpImm(BPF_JEQ, 1, 0, 2), ...end] },
  { name: 'gotol past the program', insns: [gotol(1000), ...end] },
  { name: 'gotol wraps around', insns: [gotol(0x7fff_ffff), ...end] },
  { name: 'may_goto past the program', insns: [mayGoto(100), ...end] },
  { name: 'jump out of range before unknown opcode', insns: [insn(0xff), ja(100), ...end] },
  { name: 'unknown opcode before unreachable', insns: [ja(1), insn(0xff), ...end] },
  { name: 'unreachable before bad register', insns: [ja(1), mov64Imm(11, 0), ...end] },
  { name: 'unreachable move', insns: [ja(1), nop, ...end] },
  { name: 'unreachable 64-bit immediate', insns: [ja(2), ...ldImm64(1, 5n), ...end] },
  { name: 'unreachable after exit', insns: [...end, ...end] },
  { name: 'branch into a 64-bit immediate', insns: [jmpImm(BPF_JEQ, 1, 0, 1), ...ldImm64(1, 5n), ...end] },
  { name: 'goto into a 64-bit immediate', insns: [ja(1), ...ldImm64(1, 5n), ...end] },
  { name: 'reserved jump class codes', insns: [insn(BPF_JMP32 | BPF_CALL), ...end] },
  { name: 'exit of the 32-bit class', insns: [insn(BPF_JMP32 | BPF_EXIT), ...end] },
];

const functions: CheckCase[] = [
  { name: 'call past the program', insns: [callSubprog(100), ...end] },
  { name: 'call before the program', insns: [callSubprog(-2), ...end] },
  { name: 'callback past the program', insns: [...ldImm64(1, 100n, BpfPseudo.BPF_PSEUDO_FUNC), ...end] },
  { name: 'callback before the program', insns: [...ldImm64(1, 0xffff_ff00n, BpfPseudo.BPF_PSEUDO_FUNC), ...end] },
  { name: 'call of the next instruction', insns: [callSubprog(0), ...end] },
  { name: 'function that starts with a 64-bit immediate', insns: [callSubprog(2), ...end, ...ldImm64(1, 5n), ...end] },
  { name: 'call into a 64-bit immediate', insns: [callSubprog(3), ...end, ...ldImm64(1, 5n), ...end] },
  { name: 'branch into another function', insns: [callSubprog(3), jmpImm(BPF_JEQ, 0, 0, 2), ...end, ...end] },
  { name: 'branch back into the caller', insns: [callSubprog(2), ...end, jmpImm(BPF_JEQ, 1, 0, -3), ...end] },
  { name: 'function falls through', insns: [callSubprog(2), ...end, callSubprog(1), nop, ...end] },
  { name: 'self-recursion', insns: [callSubprog(1), exit(), callSubprog(-1), exit()] },
  { name: 'recursion of main', insns: [jmpImm(BPF_JEQ, 1, 0, 1), callSubprog(-2), ...end] },
  { name: 'eight frames', insns: callChain(7) },
  { name: 'nine frames', insns: callChain(8) },
  { name: '256 functions', insns: manySubprogs(255) },
  { name: '257 functions', insns: manySubprogs(256) },
];

const imm64s: CheckCase[] = [
  { name: '64-bit immediate: code in second slot', insns: [imm64, ...end] },
  { name: '64-bit immediate: dst in second slot', insns: [imm64, insn(0, 1), ...end] },
  { name: '64-bit immediate: src in second slot', insns: [imm64, insn(0, 0, 1), ...end] },
  { name: '64-bit immediate: off in second slot', insns: [imm64, insn(0, 0, 0, 1), ...end] },
  { name: '64-bit immediate: off', insns: [{ ...imm64, off: 3 }, slot(0), ...end] },
  { name: '64-bit immediate: src 7', insns: [...ldImm64(1, 5n, 7), ...end] },
  { name: '64-bit immediate: src 15', insns: [...ldImm64(1, 5n, 15), ...end] },
  { name: '64-bit immediate: map with upper word', insns: [{ ...imm64, src: 1 }, slot(4), ...end] },
  { name: '64-bit immediate: map index with upper word', insns: [{ ...imm64, src: 5 }, slot(4), ...end] },
  { name: '64-bit immediate: r11', insns: [...ldImm64(11, 5n), ...end] },
  { name: '64-bit immediate: r10', insns: [...ldImm64(10, 5n), ...end] },
  { name: 'half an immediate as code', insns: [slot(0), ...end] },
];

const fields: CheckCase[] = [
  { name: 'add: offset', insns: [nop, alu64Imm(BPF_ADD, 0, 1, 1), ...end] },
  { name: 'add: src with immediate', insns: [nop, { ...alu64Imm(BPF_ADD, 0, 1), src: 4 }, ...end] },
  { name: 'add: immediate with src', insns: [nop, { ...alu64Reg(BPF_ADD, 0, 1), imm: 4 }, ...end] },
  { name: 'div: offset 2', insns: [nop, alu64Imm(BPF_DIV, 0, 1, 2), ...end] },
  { name: 'div: offset -1', insns: [nop, alu64Imm(BPF_DIV, 0, 1, -1), ...end] },
  { name: 'mov: offset with immediate', insns: [alu64Imm(BPF_MOV, 0, 1, 8), ...end] },
  { name: 'movsx: 4 bits', insns: [movsx64(0, 1, 4), ...end] },
  { name: 'movsx: 32 bits of 32', insns: [movsx32(0, 1, 32), ...end] },
  { name: 'neg: src', insns: [nop, { ...neg64(0), src: 1 }, ...end] },
  { name: 'neg: immediate', insns: [nop, { ...neg32(0), imm: 1 }, ...end] },
  { name: 'endian: 8 bits', insns: [nop, endian(0, 0, 8), ...end] },
  { name: 'endian: src', insns: [nop, { ...endian(0, 0, 16), src: 3 }, ...end] },
  { name: 'address space cast: other spaces', insns: [alu64Reg(BPF_MOV, 0, 1, 1), ...end] },
  { name: 'address space cast: no arena', insns: [{ ...alu64Reg(BPF_MOV, 0, 1, 1), imm: 1 }, ...end] },
  { name: 'ja: immediate', insns: [nop, { ...ja(0), imm: 5 }, ...end] },
  { name: 'ja: register', insns: [nop, insn(BPF_JMP | BPF_JA | BPF_X), ...end] },
  { name: 'gotol: offset', insns: [nop, { ...gotol(0), off: 5 }, ...end] },
  { name: 'gotol: dst', insns: [nop, { ...gotol(0), dst: 5 }, ...end] },
  { name: 'may_goto: immediate', insns: [nop, { ...mayGoto(0), imm: 5 }, ...end] },
  { name: 'may_goto: other condition', insns: [nop, { ...mayGoto(0), src: 1 }, ...end] },
  { name: 'exit: offset', insns: [nop, { ...exit(), off: 5 }] },
  { name: 'exit: immediate', insns: [nop, { ...exit(), imm: 5 }] },
  { name: 'exit: dst', insns: [nop, { ...exit(), dst: 5 }] },
  { name: 'call: offset', insns: [{ ...call(7), off: 1 }, ...end] },
  { name: 'call: dst', insns: [{ ...call(7), dst: 1 }, ...end] },
  { name: 'call: src 3', insns: [{ ...call(7), src: 3 }, ...end] },
  { name: 'function call: offset', insns: [{ ...callSubprog(2), off: 5 }, ...end, ...end] },
  { name: 'function call: dst', insns: [{ ...callSubprog(2), dst: 5 }, ...end, ...end] },
  { name: 'call through a register', insns: [callx(1), ...end] },
  { name: 'branch: src with immediate', insns: [{ ...jmpImm(BPF_JEQ, 1, 0, 0), src: 5 }, ...end] },
  { name: 'branch: immediate with src', insns: [{ ...jmpReg(BPF_JEQ, 1, 1, 0), imm: 4 }, ...end] },
  { name: 'load: immediate', insns: [{ ...ldx(BPF_W, 0, 10, -8), imm: 1 }, ...end] },
  { name: 'store immediate: src', insns: [{ ...st(BPF_W, 10, -8, 1), src: 4 }, ...end] },
  { name: 'store: immediate', insns: [{ ...stx(BPF_W, 10, 1, -8), imm: 4 }, ...end] },
  { name: 'atomic: unknown operation', insns: [nop, atomic(BPF_DW, 0x77, 10, 0, -8), ...end] },
  { name: 'atomic: negative operation', insns: [nop, atomic(BPF_DW, -1, 10, 0, -8), ...end] },
  { name: 'atomic: byte add', insns: [nop, atomic(BPF_B, BPF_ADD, 10, 0, -8), ...end] },
  { name: 'atomic: byte exchange', insns: [nop, atomic(BPF_B, BPF_XCHG, 10, 0, -8), ...end] },
  { name: 'atomic: half fetch', insns: [nop, atomic(BPF_H, BPF_ADD | BPF_FETCH, 10, 0, -8), ...end] },
  { name: 'packet load: dst', insns: [mov64Reg(6, 1), insn(0x30, 1), ...end] },
  { name: 'packet load: offset', insns: [mov64Reg(6, 1), insn(0x30, 0, 0, 4), ...end] },
  { name: 'packet load: src', insns: [mov64Reg(6, 1), insn(0x30, 0, 4), ...end] },
  { name: 'packet load of 64 bits', insns: [mov64Reg(6, 1), insn(0x38), ...end] },
];

const packetLoad = [mov64Reg(6, 1), insn(0x30), ...end];

const programTypes: CheckCase[] = (
  ['SOCKET_FILTER', 'SCHED_CLS', 'SCHED_ACT', 'CGROUP_SKB', 'XDP', 'KPROBE', 'TRACEPOINT', 'RAW_TRACEPOINT'] as const
).map((type) => ({
  name: `packet load by ${type.toLowerCase()}`,
  insns: packetLoad,
  type: BpfProgType[`BPF_PROG_TYPE_${type}`],
}));

const registers: CheckCase[] = [
  { name: 'move to r11', insns: [mov64Imm(11, 0), ...end] },
  { name: 'move from r15', insns: [mov64Reg(0, 15), ...end] },
  { name: 'both registers bad: add', insns: [alu64Reg(BPF_ADD, 12, 11), ...end] },
  { name: 'both registers bad: branch', insns: [jmpReg(BPF_JEQ, 12, 11, 0), ...end] },
  { name: 'both registers bad: load', insns: [ldx(BPF_W, 12, 11, 0), ...end] },
  { name: 'both registers bad: store', insns: [stx(BPF_W, 12, 11, 0), ...end] },
  { name: 'both registers bad: atomic', insns: [atomic(BPF_W, BPF_ADD, 12, 11, 0), ...end] },
  { name: 'both registers bad: load_acquire', insns: [atomic(BPF_W, BPF_LOAD_ACQ, 12, 11, 0), ...end] },
  { name: 'both registers bad: store_release', insns: [atomic(BPF_W, BPF_STORE_REL, 12, 11, 0), ...end] },
  { name: 'bad register and reserved fields: branch', insns: [{ ...jmpImm(BPF_JEQ, 11, 0, 0), src: 5 }, ...end] },
  { name: 'bad register and reserved fields: add', insns: [alu64Imm(BPF_ADD, 11, 1, 4), ...end] },
  { name: 'add to r10', insns: [alu64Imm(BPF_ADD, 10, 1), ...end] },
  { name: 'move to r10', insns: [mov64Reg(10, 1), ...end] },
  { name: 'load into r10', insns: [st(BPF_DW, 10, -8, 0), ldx(BPF_DW, 10, 10, -8), ...end] },
  { name: 'fetch into r10', insns: [st(BPF_DW, 10, -8, 0), atomic(BPF_DW, BPF_XCHG, 10, 10, -8), ...end] },
  { name: 'load_acquire into r10', insns: [st(BPF_DW, 10, -8, 0), atomic(BPF_DW, BPF_LOAD_ACQ, 10, 10, -8), ...end] },
];

const immediates: CheckCase[] = [
  { name: 'div by 0', insns: [nop, alu64Imm(BPF_DIV, 0, 0), ...end] },
  { name: 'sdiv by 0', insns: [nop, alu64Imm(BPF_DIV, 0, 0, 1), ...end] },
  { name: 'mod32 by 0', insns: [nop, alu32Imm(BPF_MOD, 0, 0), ...end] },
  { name: 'div r10 by 0', insns: [nop, alu64Imm(BPF_DIV, 10, 0), ...end] },
  { name: 'div r11 by 0', insns: [nop, alu64Imm(BPF_DIV, 11, 0), ...end] },
  { name: 'lsh 63', insns: [nop, alu64Imm(BPF_LSH, 0, 63), ...end] },
  { name: 'lsh 64', insns: [nop, alu64Imm(BPF_LSH, 0, 64), ...end] },
  { name: 'rsh -1', insns: [nop, alu64Imm(BPF_RSH, 0, -1), ...end] },
  { name: 'lsh32 31', insns: [nop, alu32Imm(BPF_LSH, 0, 31), ...end] },
  { name: 'lsh32 32', insns: [nop, alu32Imm(BPF_LSH, 0, 32), ...end] },
  { name: 'arsh32 40', insns: [nop, alu32Imm(BPF_ARSH, 0, 40), ...end] },
  { name: 'lsh r10 by 64', insns: [nop, alu64Imm(BPF_LSH, 10, 64), ...end] },
];

/** Every code byte on its own, in dead code so that nothing else is wrong with it. */
const codes: CheckCase[] = Array.from({ length: 256 }, (_, code) => {
  const imm = formsOfCode(code)[0]?.imm ?? 0;
  return {
    name: `code ${code.toString(16).padStart(2, '0')}`,
    insns: dead(insn(code, 0, 0, 0, imm === 'any' ? 1 : imm)),
  };
});

/**
 * Mistakes in code that values rule out. Linux's walk never gets there and lets them pass (but for the depth of
 * calls, which it finds later, in other words); this check asks that dead code be well formed too.
 */
export const deadCodeCases: readonly (CheckCase & { readonly ours: string })[] = [
  { name: 'dead: recursion', insns: dead(callSubprog(-3)), ours: 'the call stack of 9 frames is too deep' },
  { name: 'dead: bad register', insns: dead(mov64Imm(11, 0)), ours: 'R11 is invalid' },
  { name: 'dead: reserved fields', insns: dead({ ...call(7), dst: 1 }), ours: 'BPF_CALL uses reserved fields' },
  { name: 'dead: division by 0', insns: dead(alu64Imm(BPF_DIV, 0, 0)), ours: 'div by zero' },
  { name: 'dead: shift past the width', insns: dead(alu64Imm(BPF_LSH, 0, 64)), ours: 'invalid shift 64' },
  { name: 'dead: write to r10', insns: dead(mov64Imm(10, 0)), ours: 'frame pointer is read only' },
];

const accepted: CheckCase[] = [
  { name: 'return 0', insns: end },
  { name: 'forward and backward', insns: [never, ja(1), ja(1), ja(-2), ...end] },
  { name: 'poisoned call in dead code', insns: dead(call(195896080)) },
  { name: 'poisoned kfunc in dead code', insns: dead(call(2_002_000_002)) },
  { name: 'unknown helper in dead code', insns: dead(call(39_321)) },
];

export const checkCases: readonly CheckCase[] = [
  ...size,
  ...ends,
  ...jumps,
  ...functions,
  ...imm64s,
  ...fields,
  ...programTypes,
  ...registers,
  ...immediates,
  ...codes,
  ...accepted,
  ...deadCodeCases,
];
