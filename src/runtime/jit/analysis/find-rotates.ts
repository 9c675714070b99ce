import { Op } from '../../interp/op.js';
import { type ProgramCode, REGISTER_WORDS } from '../../interp/predecode.js';
import type { Block } from '../flow/flow-graph.js';
import type { Keep, Rotate } from '../lower/emitter.js';
import { stepAt } from '../step.js';

const REGISTERS = 11;

export interface Rotations {
  readonly rotates: Map<number, Rotate>;
  readonly kept: Map<number, Keep[]>;
}

/**
 * Finds rotations: compilers write `x << n | x >> (width - n)` as two shifts of copies and an `or`. The value is
 * kept where the first of the two is about to shift it.
 */
export function findRotates(code: ProgramCode, blocks: readonly Block[], found: Rotations): void {
  const search = new RotateSearch(code, found);
  for (const block of blocks) search.search(block);
}

class RotateSearch {
  readonly #code: ProgramCode;
  readonly #found: Rotations;
  /** By register: which value it holds; equal numbers are equal values. */
  readonly #version = new Int32Array(REGISTERS);
  #versions = 0;
  // Of a register that holds an earlier value shifted by a constant: the operation (0: it does not), by how much,
  // which value, and where: the instruction that shifted and the register that it found the value in.
  readonly #shift = new Int32Array(REGISTERS);
  readonly #by = new Int32Array(REGISTERS);
  readonly #value = new Int32Array(REGISTERS);
  readonly #index = new Int32Array(REGISTERS);
  readonly #register = new Int32Array(REGISTERS);

  constructor(code: ProgramCode, found: Rotations) {
    this.#code = code;
    this.#found = found;
  }

  search({ start, end }: Block): void {
    this.#forgetAll();
    for (let index = start; index < end; index++) {
      const { op, d, s } = stepAt(this.#code, index);
      if (s < REGISTER_WORDS) {
        if (op === Op.mov64) {
          this.#copy(d, s / 2);
          continue;
        }
        if (op === Op.or64 || op === Op.or32) this.#note(index, op, d, s / 2);
      }
      if (op >= Op.callHelper) this.#forgetAll();
      else if (writes(op)) {
        if (s >= REGISTER_WORDS && shiftWidth(op) !== 0) this.#setShift(index, op, d, this.#code.registers[s]);
        else this.#shift[d] = 0;
        this.#version[d] = this.#versions++;
      }
    }
  }

  #forgetAll(): void {
    for (let r = 0; r < REGISTERS; r++) {
      this.#version[r] = this.#versions++;
      this.#shift[r] = 0;
    }
  }

  #copy(to: number, from: number): void {
    this.#version[to] = this.#version[from];
    this.#shift[to] = this.#shift[from];
    this.#by[to] = this.#by[from];
    this.#value[to] = this.#value[from];
    this.#index[to] = this.#index[from];
    this.#register[to] = this.#register[from];
  }

  #setShift(index: number, op: number, d: number, by: number): void {
    this.#shift[d] = op;
    this.#by[d] = by & (shiftWidth(op) - 1);
    this.#value[d] = this.#version[d];
    this.#index[d] = index;
    this.#register[d] = d;
  }

  /** An `or` of registers `a` and `b`. */
  #note(index: number, op: number, a: number, b: number): void {
    const width = op === Op.or64 ? 64 : 32;
    const [shiftA, shiftB] = [this.#shift[a], this.#shift[b]];
    if (shiftWidth(shiftA) !== width || shiftWidth(shiftB) !== width || shiftA === shiftB) return;
    if (this.#value[a] !== this.#value[b] || this.#by[a] + this.#by[b] !== width) return;
    const first = this.#index[a] < this.#index[b] ? a : b;
    this.#found.rotates.set(index, { keep: index, by: isLeft(shiftA) ? this.#by[a] : this.#by[b] });
    const keeps = this.#found.kept.get(this.#index[first]) ?? [];
    keeps.push({ keep: index, register: this.#register[first] });
    this.#found.kept.set(this.#index[first], keeps);
  }
}

/** Operations that leave dst alone. */
function writes(op: number): boolean {
  return !((op >= Op.ja && op <= Op.may_goto) || (op >= Op.store8 && op <= Op.store64));
}

/** 0 for what is no logical shift. */
function shiftWidth(op: number): 0 | 32 | 64 {
  switch (op) {
    case Op.lsh64:
    case Op.rsh64:
      return 64;
    case Op.lsh32:
    case Op.rsh32:
      return 32;
    default:
      return 0;
  }
}

function isLeft(op: number): boolean {
  return op === Op.lsh64 || op === Op.lsh32;
}
