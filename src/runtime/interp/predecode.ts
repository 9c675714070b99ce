import { BpfError, BpfFuncId, BpfPseudo, hi32, lo32 } from '../../base/index.js';
import { contextLayout } from '../context-layout.js';
import type { Executable } from '../executable.js';
import { helperRefusal } from '../helper/helper-refusal.js';
import type { Helper } from '../helper/helper.js';
import { formOf, type InsnForm } from '../isa/insn-forms.js';
import type { Insn } from '../isa/insn.js';
import {
  BPF_CALL,
  BPF_JA,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_MEM,
  BPF_W,
  BPF_X,
  CALL,
  EXIT,
  LDIMM64,
} from '../isa/opcodes.js';
import { BPF_MEMORY_HI } from '../memory/bpf-memory.js';
import { FUNC_POINTER_HI } from './access-guard.js';
import type { FormOps } from './form-ops.js';
import { INSN_WORDS, packInsn } from './insn-word.js';
import { Op, type OpNumber } from './op.js';

/** Words that r0 to r10 take in the register file; constants follow. */
export const REGISTER_WORDS = 22;

const CALLX = BPF_JMP | BPF_CALL | BPF_X;
const GOTOL = BPF_JMP32 | BPF_JA;
const LDX_U32 = BPF_LDX | BPF_MEM | BPF_W;

/** A program in the form the loop runs. */
export interface ProgramCode {
  /** `INSN_WORDS` words per instruction; 64-bit immediate loads are one instruction. */
  readonly words: Int32Array;
  /** The register file at the start of a run: zeros, then the program's constants. */
  readonly registers: Int32Array;
  /** The constants among them. */
  readonly constants: Int32Array;
  /** Helpers by the index in a call's last word. */
  readonly helpers: readonly Helper[];
  /** Instruction slot of each predecoded instruction. */
  readonly slots: readonly number[];
  /** Word index of the instruction in each slot. */
  readonly wordOfSlot: Int32Array;
}

/**
 * Brings a checked program into a flat array of words. Immediates go to constant registers behind r10, so
 * that `dst op imm` and `dst op src` are one operation; jump distances become targets.
 */
export function predecode(executable: Executable, helpers: ReadonlyMap<number, Helper>, formOps: FormOps): ProgramCode {
  return new Predecoder(executable, helpers, formOps).decode();
}

class Predecoder {
  readonly #executable: Executable;
  readonly #insns: readonly Insn[];
  readonly #available: ReadonlyMap<number, Helper>;
  readonly #formOps: FormOps;
  readonly #packetPointers: readonly number[];
  readonly #helpers: Helper[] = [];
  readonly #constants: number[] = [];
  /** Where constants are: those that are the sign extension of their low word by that word, others by both. */
  readonly #narrowAt = new Map<number, number>();
  readonly #wideAt = new Map<string, number>();
  readonly #slots: number[] = [];
  readonly #wordOfSlot: Int32Array;

  constructor(executable: Executable, helpers: ReadonlyMap<number, Helper>, formOps: FormOps) {
    this.#executable = executable;
    this.#insns = executable.insns;
    this.#available = helpers;
    this.#formOps = formOps;
    this.#packetPointers = contextLayout(executable.type).packetPointers;
    this.#wordOfSlot = new Int32Array(executable.insns.length);
  }

  decode(): ProgramCode {
    this.#numberSlots();
    const end = this.#slots.length * INSN_WORDS;
    const words = new Int32Array(end + INSN_WORDS);
    this.#slots.forEach((slot, index) => this.#instruction(slot, words, index * INSN_WORDS));
    words[end] = packInsn(Op.endOfProgram, 0, 0);
    const registers = new Int32Array(REGISTER_WORDS + this.#constants.length);
    registers.set(this.#constants, REGISTER_WORDS);
    return {
      words,
      registers,
      constants: registers.subarray(REGISTER_WORDS),
      helpers: this.#helpers,
      slots: this.#slots,
      wordOfSlot: this.#wordOfSlot,
    };
  }

  #numberSlots(): void {
    for (let slot = 0; slot < this.#insns.length; slot++) {
      this.#wordOfSlot[slot] = this.#slots.length * INSN_WORDS;
      this.#slots.push(slot);
      if (this.#insns[slot].code === LDIMM64) slot++;
    }
  }

  /** Writes the words of the instruction in `slot`. */
  #instruction(slot: number, words: Int32Array, at: number): void {
    const insn = this.#insns[slot];
    if (insn.code === CALLX) {
      words[at] = packInsn(Op.callRegister, 0, insn.dst * 2);
      return;
    }
    const form = formOf(insn);
    const op = form === undefined ? undefined : this.#formOps.get(form.name);
    if (form === undefined || op === undefined) {
      throw new BpfError('EOPNOTSUPP', `instruction ${slot} of ${this.#executable.name} cannot run`, {
        value: form?.name ?? `code 0x${insn.code.toString(16)}`,
        remedy: 'the interpreter has no arenas; other forms are unknown to Linux, too',
      });
    }
    words[at] = packInsn(this.#operation(op, insn, slot), insn.dst * 2, this.#source(form, insn, slot));
    words[at + 1] = this.#lastWord(insn, slot);
  }

  /** Some forms are one of several operations, by what else is in the instruction. */
  #operation(op: OpNumber, insn: Insn, slot: number): OpNumber {
    switch (insn.code) {
      case CALL:
        return this.#callOperation(op, insn, slot);
      case LDX_U32:
        return op === Op.load32 && this.#packetPointers.includes(insn.off) ? Op.loadPacketPointer : op;
      default:
        return op;
    }
  }

  #callOperation(op: OpNumber, { src, imm }: Insn, slot: number): OpNumber {
    if (src === BpfPseudo.BPF_PSEUDO_KFUNC_CALL) return this.#kfuncIndex(slot) < 0 ? op : Op.callHelper;
    if (src !== 0) return op;
    if (imm === BpfFuncId.BPF_FUNC_tail_call) return Op.tailCall;
    return this.#helperIndex(this.#available.get(imm)) < 0 ? Op.callNothing : op;
  }

  #lastWord(insn: Insn, slot: number): number {
    switch (insn.code) {
      case GOTOL:
        return this.#wordOfSlot[slot + 1 + insn.imm];
      case CALL:
        return this.#callee(insn, slot);
      default:
        return this.#operand(insn, slot);
    }
  }

  #callee({ src, imm }: Insn, slot: number): number {
    switch (src) {
      case 0:
        return this.#calledHelper(imm, slot);
      case BpfPseudo.BPF_PSEUDO_CALL:
        return this.#wordOfSlot[slot + 1 + imm];
      default: {
        const index = this.#kfuncIndex(slot);
        return index < 0 ? slot : index;
      }
    }
  }

  #operand(insn: Insn, slot: number): number {
    switch (insn.code & 7) {
      case BPF_LD:
        return insn.imm;
      case BPF_JMP:
      case BPF_JMP32:
        return insn.code === EXIT ? 0 : this.#wordOfSlot[slot + 1 + insn.off];
      default:
        return insn.off;
    }
  }

  /** Its index, or the slot of a call that the program may not make. */
  #calledHelper(number: number, slot: number): number {
    if (number === BpfFuncId.BPF_FUNC_tail_call) return 0;
    const index = this.#helperIndex(this.#available.get(number));
    return index < 0 ? slot : index;
  }

  #kfuncIndex(slot: number): number {
    return this.#helperIndex(this.#executable.symbols?.get(slot)?.kfunc);
  }

  /** -1 for a helper that there is not, or that the program may not call. */
  #helperIndex(helper: Helper | undefined): number {
    if (helper === undefined || helperRefusal(helper, this.#executable) !== undefined) return -1;
    const index = this.#helpers.indexOf(helper);
    return index < 0 ? this.#helpers.push(helper) - 1 : index;
  }

  /** Index of the low word of the source: a register, or the constant an immediate became. */
  #source(form: InsnForm, insn: Insn, slot: number): number {
    if (insn.code === LDIMM64) return this.#wideConstant(insn, slot);
    if (typeof form.src === 'string') return insn.src * 2;
    return form.imm === 'any' ? this.#constant(insn.imm, insn.imm >> 31) : 0;
  }

  #wideConstant(insn: Insn, slot: number): number {
    const upper = this.#insns[slot + 1].imm;
    switch (insn.src) {
      case 0:
        return this.#constant(insn.imm, upper);
      case BpfPseudo.BPF_PSEUDO_MAP_FD:
      case BpfPseudo.BPF_PSEUDO_MAP_IDX:
        return this.#constant(this.#executable.maps[insn.imm].address, BPF_MEMORY_HI);
      case BpfPseudo.BPF_PSEUDO_MAP_VALUE:
      case BpfPseudo.BPF_PSEUDO_MAP_IDX_VALUE:
        return this.#constant(this.#directValue(insn.imm, upper), BPF_MEMORY_HI);
      case BpfPseudo.BPF_PSEUDO_FUNC:
        return this.#constant(slot + 1 + insn.imm, FUNC_POINTER_HI);
      default:
        return this.#symbolAddress(insn, slot);
    }
  }

  #symbolAddress({ imm }: Insn, slot: number): number {
    const symbol = this.#executable.symbols?.get(slot);
    if (symbol !== undefined) return this.#constant(lo32(symbol.address), hi32(symbol.address));
    throw new BpfError('EOPNOTSUPP', `instruction ${slot} takes the address of a typed kernel symbol`, {
      value: imm,
      remedy: 'what is behind its BTF id (BPF_PSEUDO_BTF_ID) is known to linkers only: load the object as a Collection',
    });
  }

  #directValue(mapIndex: number, offset: number): number {
    const map = this.#executable.maps[mapIndex];
    const at = map.directValue(offset);
    if (at >= 0) return at;
    throw new BpfError('EINVAL', `direct value access at offset ${offset} of map ${map.name}`, {
      value: at,
      remedy: 'only array maps of one entry have direct values, and the offset must lie inside',
    });
  }

  #constant(lo: number, hi: number): number {
    if (hi === lo >> 31) return this.#numbered(this.#narrowAt, lo, lo, hi);
    return this.#numbered(this.#wideAt, `${lo}:${hi}`, lo, hi);
  }

  #numbered<K>(places: Map<K, number>, key: K, lo: number, hi: number): number {
    let at = places.get(key);
    if (at === undefined) {
      at = REGISTER_WORDS + this.#constants.push(lo, hi) - 2;
      places.set(key, at);
    }
    return at;
  }
}
