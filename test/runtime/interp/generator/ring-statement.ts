import { BpfFuncId } from '../../../../src/base/index.js';
import type { Insn } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';
import { MapArea } from './layout.js';
import { type Piece, piece } from './piece.js';
import type { Random } from './random.js';
import { mapPointer, SAVED } from './world-operands.js';

const R9 = 9;
const SIZES = [8, 9, 16, 31, 32, 40, 64, 200, 1016, 2040, 4080, 4081, 4088];

/** A record, by bpf_ringbuf_output or reserved and filled, or a question; r0 tells what came of it. */
export function ringOperation(ring: number, random: Random): Piece {
  const kind = random.below(10);
  if (kind < 4) return output(ring, random);
  if (kind < 9) return record(ring, random);
  return piece(mapPointer(1, ring), isa.mov64Imm(2, random.below(6)), isa.call(BpfFuncId.BPF_FUNC_ringbuf_query));
}

/** Of a size that is a constant, or what a register says. */
function output(ring: number, random: Random): Piece {
  const from = random.below(MapArea.dataSize / 2);
  const size = random.chance(60)
    ? [isa.mov64Imm(3, random.below(MapArea.dataSize / 2))]
    : [isa.mov64Reg(3, random.pick(SAVED)), isa.alu64Imm(isa.BPF_AND, 3, 0x7f)];
  return piece(
    mapPointer(1, ring),
    isa.mov64Reg(2, R9),
    isa.alu64Imm(isa.BPF_ADD, 2, from),
    size,
    isa.mov64Imm(4, flags(random)),
    isa.call(BpfFuncId.BPF_FUNC_ringbuf_output),
  );
}

function record(ring: number, random: Random): Piece {
  const size = random.chance(90) ? random.pick(SIZES.slice(0, 9)) : random.pick(SIZES);
  const isDiscarded = random.chance(25);
  const fill = [
    ...fillRecord(size, random),
    isa.mov64Reg(1, 0),
    isa.mov64Imm(2, flags(random)),
    isa.call(isDiscarded ? BpfFuncId.BPF_FUNC_ringbuf_discard : BpfFuncId.BPF_FUNC_ringbuf_submit),
    isa.mov64Imm(0, 1),
  ];
  return piece(
    mapPointer(1, ring),
    isa.mov64Imm(2, size),
    isa.mov64Imm(3, random.chance(95) ? 0 : 1),
    isa.call(BpfFuncId.BPF_FUNC_ringbuf_reserve),
    isa.jmpImm(isa.BPF_JNE, 0, 0, 2),
    isa.mov64Imm(0, 0),
    isa.ja(fill.length),
    fill,
  );
}

/** BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP, and bits that mean nothing. */
function flags(random: Random): number {
  return random.pick([0, 0, 0, 1, 2, 3, 4]);
}

/** A few stores through r0, and a load. */
function fillRecord(size: number, random: Random): Insn[] {
  const insns: Insn[] = [];
  for (let i = 0; i < 3; i++) insns.push(isa.stx(isa.BPF_DW, 0, random.pick(SAVED), 8 * random.below(size >> 3)));
  insns.push(isa.st(isa.BPF_B, 0, size - 1, random.edgy()));
  insns.push(isa.ldx(isa.BPF_H, 5, 0, random.below(size - 1)), isa.stx(isa.BPF_W, 0, 5, 4));
  return insns;
}
