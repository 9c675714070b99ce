import { BpfProgType } from '../../../../src/base/index.js';
import type { Insn } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';
import { StackArea } from './layout.js';
import { type Piece, piece } from './piece.js';
import type { Random } from './random.js';
import { SAVED } from './world-operands.js';

const R10 = 10;
/** Bytes behind the pointer that are compared with the packet's end. */
const WINDOW = 16;

/** Offsets of data and data_end in the context. */
const packetFields: Readonly<Record<number, readonly [number, number]>> = {
  [BpfProgType.BPF_PROG_TYPE_XDP]: [0, 4],
  [BpfProgType.BPF_PROG_TYPE_SCHED_CLS]: [76, 80],
};

/** Reads and writes behind a comparison with data_end, which some packets do not pass; r0 is what was read. */
export function packetAccess(type: number, random: Random): Piece {
  const [data, dataEnd] = packetFields[type];
  const inside = [...Array.from({ length: 1 + random.below(3) }, () => access(random))];
  return piece(
    isa.ldx(isa.BPF_DW, 1, R10, StackArea.ctx),
    isa.ldx(isa.BPF_W, 2, 1, data),
    isa.ldx(isa.BPF_W, 3, 1, dataEnd),
    place(random),
    isa.mov64Reg(4, 2),
    isa.alu64Imm(isa.BPF_ADD, 4, WINDOW),
    random.chance(50) ? isa.jmpReg(isa.BPF_JGT, 4, 3, inside.length) : isa.jmpReg(isa.BPF_JLT, 3, 4, inside.length),
    inside,
  );
}

/** r2 goes to a constant place or to one that a register tells. */
function place(random: Random): Insn[] {
  if (random.chance(50)) return [isa.alu64Imm(isa.BPF_ADD, 2, random.below(60))];
  return [isa.mov64Reg(5, random.pick(SAVED)), isa.alu64Imm(isa.BPF_AND, 5, 0x3f), isa.alu64Reg(isa.BPF_ADD, 2, 5)];
}

function access(random: Random): Insn {
  const size = random.pick([isa.BPF_B, isa.BPF_H, isa.BPF_W, isa.BPF_DW]);
  const off = random.below(WINDOW - 7);
  const kind = random.below(3);
  if (kind === 0) return isa.ldx(size, 0, 2, off);
  return kind === 1 ? isa.stx(size, 2, random.pick(SAVED), off) : isa.st(size, 2, off, random.edgy());
}
