import { BpfFuncId, BpfPseudo } from '../../../../src/base/index.js';
import type { Insn } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';
import { StackArea } from './layout.js';
import type { Piece } from './piece.js';
import type { Random } from './random.js';
import { mapPointer, SAVED, stackPointer, type Subject } from './world-operands.js';

const R10 = 10;

/** bpf_for_each_map_elem; in maps of another order than Linux's the order must not show. */
export function forEachElement({ map, isOrdered }: Subject, random: Random): Piece {
  const before = [isa.stx(isa.BPF_DW, R10, random.pick(SAVED), StackArea.sum), ...mapPointer(1, map)];
  return {
    insns: [
      ...before,
      ...isa.ldImm64(2, 0n, BpfPseudo.BPF_PSEUDO_FUNC),
      ...stackPointer(3, StackArea.sum),
      isa.mov64Imm(4, random.chance(95) ? 0 : 1),
      isa.call(BpfFuncId.BPF_FUNC_for_each_map_elem),
      ...addSum(),
    ],
    callbacks: [{ at: before.length, body: elementCallback(isOrdered, random) }],
  };
}

/** (map, key, value, ctx): adds key and value to the sum, and perhaps changes the value. */
function elementCallback(isOrdered: boolean, random: Random): Insn[] {
  const stop = isOrdered
    ? random.pick([[isa.mov64Imm(0, 0)], [isa.mov64Imm(0, 1)], [isa.alu64Imm(isa.BPF_AND, 0, 1)]])
    : [isa.mov64Imm(0, 0)];
  return [
    isa.ldx(isa.BPF_W, 5, 2, 0),
    isa.ldx(isa.BPF_DW, 0, 3, 0),
    isa.alu64Reg(isa.BPF_ADD, 0, 5),
    isa.ldx(isa.BPF_DW, 1, 4, 0),
    ...(isOrdered ? [isa.alu64Imm(isa.BPF_MUL, 1, 31)] : []),
    isa.alu64Reg(isa.BPF_ADD, 1, 0),
    isa.stx(isa.BPF_DW, 4, 1, 0),
    ...(random.chance(40) ? [isa.stx(isa.BPF_DW, 3, 0, 0)] : []),
    ...stop,
    isa.exit(),
  ];
}

/**
 * bpf_loop, a constant number of times or as often as a register says. Never 0 times: where Linux 6.18 can tell, it removes the
 * callback but not its address, and calls that a bug of the verifier.
 */
export function callLoop(subject: Subject, random: Random): Piece {
  const times = random.chance(50)
    ? [isa.mov64Imm(1, 1 + random.below(12))]
    : [isa.mov64Reg(1, random.pick(SAVED)), isa.alu64Imm(isa.BPF_AND, 1, 15), isa.alu64Imm(isa.BPF_ADD, 1, 1)];
  const before = [isa.stx(isa.BPF_DW, R10, random.pick(SAVED), StackArea.sum), ...times];
  return {
    insns: [
      ...before,
      ...isa.ldImm64(2, 0n, BpfPseudo.BPF_PSEUDO_FUNC),
      ...stackPointer(3, StackArea.sum),
      isa.mov64Imm(4, random.chance(95) ? 0 : 1),
      isa.call(BpfFuncId.BPF_FUNC_loop),
      ...addSum(),
    ],
    callbacks: [{ at: before.length, body: loopCallback(subject, random) }],
  };
}

/** (index, ctx): stirs the sum, perhaps puts it into a map, perhaps ends the loop. */
function loopCallback({ spec, map }: Subject, random: Random): Insn[] {
  const updates = spec.keySize === 4 && random.chance(40);
  const update = [
    isa.mov64Reg(5, 6),
    isa.alu64Imm(isa.BPF_AND, 5, 7),
    isa.stx(isa.BPF_W, R10, 5, -8),
    isa.stx(isa.BPF_DW, R10, 3, -16),
    ...mapPointer(1, map),
    ...stackPointer(2, -8),
    ...stackPointer(3, -16),
    isa.mov64Imm(4, random.below(3)),
    isa.call(BpfFuncId.BPF_FUNC_map_update_elem),
  ];
  return [
    isa.mov64Reg(6, 1),
    isa.ldx(isa.BPF_DW, 3, 2, 0),
    isa.alu64Imm(isa.BPF_MUL, 3, random.edgy() | 1),
    isa.alu64Reg(isa.BPF_XOR, 3, 6),
    isa.stx(isa.BPF_DW, 2, 3, 0),
    ...(updates ? update : []),
    isa.mov64Imm(0, 0),
    isa.jmpImm(isa.BPF_JLE, 6, random.below(14), 1),
    isa.mov64Imm(0, 1),
    isa.exit(),
  ];
}

/** r0 becomes a mixture of what the helper returned and what its callbacks left. */
function addSum(): Insn[] {
  return [isa.ldx(isa.BPF_DW, 1, R10, StackArea.sum), isa.alu64Reg(isa.BPF_ADD, 0, 1)];
}
