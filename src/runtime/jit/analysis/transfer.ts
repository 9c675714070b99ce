import { BpfPseudo } from '../../../base/index.js';
import { contextLayout } from '../../context-layout.js';
import type { Executable } from '../../executable.js';
import { DST_MASK, DST_SHIFT, INSN_WORDS, OP_MASK, SRC_SHIFT } from '../../interp/insn-word.js';
import { Op } from '../../interp/op.js';
import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import { LDIMM64 } from '../../isa/opcodes.js';
import { accessSize, isAcquire } from '../lower/memory.js';
import type { AccessJudge } from './access-facts.js';
import { afterHelper, afterUnknownCall } from './call-effects.js';
import type { ProgramState } from './program-state.js';
import { computed, constantOf, lowBytes, lowWord, negated, signedBytes } from './scalar-arithmetic.js';
import {
  Kind,
  mapPointer,
  moved,
  movedBack,
  NEAR_PACKET,
  PACKET_END,
  scalar,
  UNKNOWN,
  type Value,
  valuePointer,
  withoutSite,
} from './value.js';

const R0 = 0;

/** What each instruction makes of what is known before it. */
export class Transfer {
  readonly #executable: Executable;
  readonly #code: ProgramCode;
  readonly #judge: AccessJudge;
  /** Offsets of the context's packet pointers: start, end, metadata. */
  readonly #packetPointers: readonly number[];
  /** By index in the register file. */
  readonly #constants: (Value | undefined)[] = [];

  constructor(executable: Executable, code: ProgramCode, judge: AccessJudge) {
    this.#executable = executable;
    this.#code = code;
    this.#judge = judge;
    this.#packetPointers = contextLayout(executable.type).packetPointers;
  }

  /** The source operand of an instruction: a register's value or a constant. */
  source(s: number, state: ProgramState): Value {
    return s < REGISTER_WORDS ? state.values[s >> 1] : this.constant(s);
  }

  /** The constant at word `s` of the register file. */
  constant(s: number): Value {
    const { registers } = this.#code;
    return (this.#constants[s] ??= constantOf(registers[s], registers[s + 1]));
  }

  step(index: number, state: ProgramState): void {
    const { words } = this.#code;
    const word = words[index * INSN_WORDS];
    const op = word & OP_MASK;
    const d = ((word >>> DST_SHIFT) & DST_MASK) >> 1;
    const s = word >>> SRC_SHIFT;
    if (op < Op.ja) state.values[d] = this.#arithmetic(index, op, d, s, state);
    else if (op >= Op.load8) this.#memoryOrCall(index, op, d, s, words[index * INSN_WORDS + 1], state);
  }

  #arithmetic(index: number, op: number, d: number, s: number, state: ProgramState): Value {
    const { values } = state;
    switch (op) {
      case Op.mov64:
        return s < REGISTER_WORDS ? values[s >> 1] : this.#loaded(index, s);
      case Op.add64:
        return this.#sum(index, values[d], this.source(s, state), state);
      case Op.sub64: {
        const by = this.source(s, state);
        if (values[d].kind === Kind.scalar) return computed(op, values[d], by);
        this.#renew(index, by, state);
        return movedBack(values[d], by, index);
      }
      case Op.neg64:
        return negated(values[d]);
      case Op.neg32:
        return computed(Op.sub32, scalar(0, 0), values[d]);
      case Op.mov32:
        return lowWord(this.source(s, state));
      case Op.movsx64_s8:
        return signedBytes(this.source(s, state), 1);
      case Op.movsx64_s16:
        return signedBytes(this.source(s, state), 2);
      case Op.movsx64_s32:
        return signedBytes(this.source(s, state), 4);
      case Op.movsx32_s8:
        return lowWord(signedBytes(this.source(s, state), 1));
      case Op.movsx32_s16:
        return lowWord(signedBytes(this.source(s, state), 2));
      case Op.truncate16:
        return lowBytes(values[d], 2);
      case Op.truncate32:
        return lowWord(values[d]);
      case Op.truncate64:
        return values[d];
      case Op.swap16:
        return scalar(0, 0xffff);
      case Op.swap32:
        return scalar(0, 0xffff_ffff);
      case Op.swap64:
        return UNKNOWN;
      default:
        return computed(op, values[d], this.source(s, state));
    }
  }

  #sum(index: number, a: Value, b: Value, state: ProgramState): Value {
    if (a.kind === Kind.scalar && b.kind === Kind.scalar) return computed(Op.add64, a, b);
    const [pointer, by] = a.kind === Kind.scalar ? [b, a] : [a, b];
    this.#renew(index, by, state);
    return moved(pointer, by, index);
  }

  /** A packet pointer is about to get the origin `index`: those that have it from an earlier round lose it. */
  #renew(index: number, by: Value, state: ProgramState): void {
    if (by.lo === by.hi) return;
    state.replace((value) => (value.kind === Kind.packet && value.site === index ? withoutSite(value) : value));
  }

  #memoryOrCall(index: number, op: number, d: number, s: number, x: number, state: ProgramState): void {
    const { values } = state;
    switch (op) {
      case Op.load8:
      case Op.load16:
      case Op.load32:
      case Op.load64:
        values[d] = this.#read(values[s >> 1], x, accessSize(op), state);
        return;
      case Op.loadsx8:
        values[d] = scalar(-0x80, 0x7f);
        return;
      case Op.loadsx16:
        values[d] = scalar(-0x8000, 0x7fff);
        return;
      case Op.loadsx32:
        values[d] = scalar(-0x8000_0000, 0x7fff_ffff);
        return;
      case Op.loadPacketPointer:
        values[d] = this.#packetPointer(values[s >> 1], x, state);
        return;
      case Op.store8:
      case Op.store16:
      case Op.store32:
      case Op.store64:
        this.#write(values[d], x, accessSize(op), this.source(s, state), state);
        return;
      case Op.callHelper:
        afterHelper(state, this.#code.helpers[x], index);
        return;
      case Op.callSubprog:
      case Op.callRegister:
        afterUnknownCall(state);
        return;
      default:
        if (op >= Op.atomic_add_u32) this.#atomic(op, d, s >> 1, x, state);
        else values[R0] = UNKNOWN;
    }
  }

  #read(base: Value, x: number, size: number, state: ProgramState): Value {
    if (base.kind === Kind.frame && base.lo === base.hi) {
      const stored = state.frameCell(base.lo + x, size);
      if (stored !== undefined) return lowBytes(stored, size);
    }
    return size === 8 ? UNKNOWN : scalar(0, 2 ** (8 * size) - 1);
  }

  /** Any load of the field has this shape; only one from the context is a pointer. */
  #packetPointer(base: Value, x: number, state: ProgramState): Value {
    if (base.kind === Kind.frame) return this.#read(base, x, 4, state);
    if (base.kind !== Kind.context || base.lo !== 0 || base.hi !== 0) return UNKNOWN;
    const which = this.#packetPointers.indexOf(x);
    return which === 0 ? state.packetStart : which === 1 ? PACKET_END : NEAR_PACKET;
  }

  #write(base: Value, x: number, size: number, value: Value, state: ProgramState): void {
    if (base.kind === Kind.frame) {
      if (base.lo === base.hi) state.setFrame(base.lo + x, size, lowBytes(value, size));
      else state.forgetFrame(base.lo + x, base.hi + x + size);
      return;
    }
    const { kind } = this.#judge.judge(base, x, size, true, state.packetStart.extent);
    // What is only checked against all memory of the program may be the frame.
    if (kind === 'window') state.forgetAllOfFrame();
  }

  #atomic(op: number, d: number, s: number, x: number, state: ProgramState): void {
    const { values } = state;
    const size = accessSize(op);
    if (isAcquire(op)) {
      values[d] = this.#read(values[s], x, size, state);
      return;
    }
    if (op >= Op.release8) {
      this.#write(values[d], x, size, values[s], state);
      return;
    }
    this.#write(values[d], x, size, UNKNOWN, state);
    const old = lowBytes(UNKNOWN, size);
    if (op === Op.cmpxchg_u32 || op === Op.cmpxchg_u64) values[R0] = old;
    else if ((op >= Op.atomic_fetch_add_u32 && op < Op.atomic_add_u64) || op >= Op.atomic_fetch_add_u64)
      values[s] = old;
  }

  /** ldimm64 is a move as well: what it names tells what it is. */
  #loaded(index: number, s: number): Value {
    const { insns, maps } = this.#executable;
    const slot = this.#code.slots[index];
    const { code, src, imm } = insns[slot];
    if (code !== LDIMM64 || src === 0) return this.constant(s);
    if (src === BpfPseudo.BPF_PSEUDO_MAP_FD || src === BpfPseudo.BPF_PSEUDO_MAP_IDX) return mapPointer(maps[imm]);
    const isValue = src === BpfPseudo.BPF_PSEUDO_MAP_VALUE || src === BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE;
    return isValue ? valuePointer(maps[imm], insns[slot + 1].imm) : UNKNOWN;
  }
}
