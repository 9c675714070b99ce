import type { InsnForm } from './insn-forms.js';
import type { Random } from './random.js';

/** Where both processors find code and data. */
export const Layout = {
  CODE: 0x1000_0000,
  CODE_AT: 0x1000_0800,
  DATA: 0x2000_0000,
  WINDOW: 0x2000_0f80,
  WINDOW_SIZE: 256,
} as const;

/** An instruction with everything it starts from. */
export interface InsnCase {
  readonly form: InsnForm;
  readonly size: number;
  readonly code: Uint8Array;
  readonly regs: bigint[];
  readonly flags: bigint;
  readonly window: Uint8Array;
  /** Count of a shift, masked; -1 for anything else. */
  readonly count: number;
  /** Memory operand's address, or 0. */
  readonly address: number;
}

const SP = 4;
const STATUS = 0x8d5n | 2n;

/** A random instance of `form`: operands, addressing mode, registers (eight of them in 32-bit mode), flags and memory. */
export function randomCase(form: InsnForm, random: Random, bits: 32 | 64 = 64): InsnCase {
  const size = random.pick(bits === 64 ? form.sizes : sizesOf32(form));
  const regs = Array.from({ length: bits / 4 }, () => BigInt.asUintN(bits, random.u64()));
  const window = Uint8Array.from({ length: Layout.WINDOW_SIZE }, () => random.word() & 0xff);
  prepare(form, size, regs, window, random);
  regs.forEach((value, n) => (regs[n] = BigInt.asUintN(bits, value)));
  const encoder = new Encoder(form, size, regs, random, bits);
  const code = encoder.encode();
  const direction = form.kind === 'string' && random.chance(3) ? 0x400n : 0n;
  return {
    form,
    size,
    code,
    regs,
    flags: (BigInt(random.word() >>> 0) & STATUS) | 2n | 0x200n | direction,
    window,
    count: shiftCount(form, size, regs, encoder.imm),
    address: encoder.address,
  };
}

/** What takes 64 bits in 64-bit mode without being asked takes 32 there. */
function sizesOf32(form: InsnForm): readonly number[] {
  const sizes = form.sizes.filter((size) => size < 8);
  return sizes.length === 0 ? [4] : sizes;
}

function prepare(form: InsnForm, size: number, regs: bigint[], window: Uint8Array, random: Random): void {
  switch (form.kind) {
    case 'stack':
    case 'popf':
      regs[SP] = BigInt(Layout.WINDOW + 64 + random.below(128));
      break;
    case 'frame':
      regs[5] = BigInt(Layout.WINDOW + 64 + random.below(128));
      break;
    case 'string':
      regs[1] = BigInt(random.below(9));
      regs[6] = BigInt(Layout.WINDOW + 80 + random.below(96));
      regs[7] = BigInt(Layout.WINDOW + 80 + random.below(96));
      if (random.chance(2)) window.fill(0x41, 0, 200);
      if (random.chance(2)) regs[0] = 0x4141_4141_4141_4141n;
      break;
    case 'divide':
      if (random.chance(4)) break;
      regs[2] = random.chance(2) ? 0n : BigInt.asUintN(64, -1n);
      if (size === 1) regs[0] = BigInt(random.below(0x4000));
      break;
    case 'bit-index':
      for (let i = 0; i < regs.length; i++)
        if (random.chance(2)) regs[i] = BigInt.asUintN(64, BigInt(random.below(800) - 400));
      break;
    case 'loop':
      regs[1] = BigInt(random.below(3));
      break;
    case 'pair':
      if (random.chance(2)) window.fill(0);
      if (random.chance(2)) regs[0] = regs[2] = 0n;
      break;
    default:
  }
  if (form.kind === 'popf') writeFlagsToStack(regs, window, random);
}

function writeFlagsToStack(regs: readonly bigint[], window: Uint8Array, random: Random): void {
  const at = Number(regs[SP]) - Layout.WINDOW;
  const flags = (random.word() & 0xcd5) | 2;
  new DataView(window.buffer).setBigUint64(at, BigInt(flags & ~0x100), true);
}

function shiftCount(form: InsnForm, size: number, regs: readonly bigint[], imm: number): number {
  if (form.kind !== 'shift' && form.kind !== 'double-shift') return -1;
  const byCl = form.kind === 'shift' ? form.opcode >= 0xd2 : (form.opcode & 1) === 1;
  const raw = byCl ? Number(regs[1] & 0xffn) : form.imm === undefined ? 1 : imm;
  return raw & (size === 8 ? 63 : 31);
}

/** A branch to itself would never end. */
function awayFromSelf(distance: number): number {
  return distance < 0 && distance > -16 ? distance - 16 : distance;
}

/** Builds the bytes of one instruction and bends registers so that its memory operand lies in the window. */
class Encoder {
  address = 0;
  imm = 0;
  readonly #form: InsnForm;
  readonly #size: number;
  readonly #regs: bigint[];
  readonly #random: Random;
  readonly #bits: 32 | 64;
  #rex = 0;
  #tail: number[] = [];
  #useRex = false;
  #ripDisp = -1;

  constructor(form: InsnForm, size: number, regs: bigint[], random: Random, bits: 32 | 64) {
    this.#form = form;
    this.#size = size;
    this.#regs = regs;
    this.#random = random;
    this.#bits = bits;
  }

  encode(): Uint8Array {
    const form = this.#form;
    const random = this.#random;
    const prefixes: number[] = [];
    if (this.#size === 2) prefixes.push(0x66);
    if (form.prefix !== undefined) prefixes.push(form.prefix);
    // Operands of 64 bits by default need no REX.W.
    const wide = this.#size === 8 && !(form.sizes.length === 1 && form.sizes[0] === 8);
    this.#useRex = this.#bits === 64 && (wide || random.chance(2));
    if (wide) this.#rex |= 8;
    let opcode = form.opcode;
    if (form.opcodeReg === true) opcode = this.#opcodeRegister(opcode);
    const memory = form.modrm === true && this.#modrm();
    if (form.name === 'endbr64') this.#tail.push(0xfa);
    if (memory && form.lock === true && random.chance(2)) prefixes.push(0xf0);
    this.#immediate();
    if (this.#useRex) prefixes.push(0x40 | this.#rex);
    const bytes = [...prefixes, ...(form.twoByte === true ? [0x0f] : []), opcode, ...this.#tail];
    this.#patchRipRelative(bytes);
    return Uint8Array.from(bytes);
  }

  #opcodeRegister(opcode: number): number {
    const reg = this.#random.below(this.#useRex ? 16 : 8);
    this.#rex |= reg >> 3;
    return opcode | (reg & 7);
  }

  /** ModRM, SIB and displacement; true for a memory operand. */
  #modrm(): boolean {
    const form = this.#form;
    const random = this.#random;
    const registers = this.#useRex ? 16 : 8;
    const reg = form.digit ?? random.below(registers);
    if (form.digit === undefined) this.#rex |= (reg >> 3) << 2;
    const field = (reg & 7) << 3;
    const memory = form.memory === 'only' || (form.memory !== 'never' && random.chance(2));
    if (!memory) {
      const rm = random.below(registers);
      this.#rex |= rm >> 3;
      this.#tail.push(0xc0 | field | (rm & 7));
      return false;
    }
    this.address = Layout.WINDOW + 80 + random.below(96);
    if (form.kind === 'pair' && this.#size === 8 && random.below(4) > 0) this.address &= ~15;
    const mode = random.below(8);
    if (mode === 0) this.#ripRelative(field);
    else if (mode === 1) this.#absolute(field, registers);
    else this.#based(field, registers);
    return true;
  }

  #ripRelative(field: number): void {
    this.#tail.push(field | 5);
    // The same encoding is an absolute address in 32-bit mode.
    if (this.#bits === 32) return this.#push(this.address, 4);
    this.#ripDisp = this.#tail.length;
    this.#tail.push(0, 0, 0, 0);
  }

  /** SIB without base: disp32 and perhaps an index. */
  #absolute(field: number, registers: number): void {
    const random = this.#random;
    const index = random.below(registers);
    const scale = random.below(4);
    this.#tail.push(field | 4, (scale << 6) | ((index & 7) << 3) | 5);
    this.#rex |= (index >> 3) << 1;
    let disp = this.address;
    if (index !== SP) {
      const by = random.below(1000);
      this.#setRegister(index, BigInt(by));
      disp -= by << scale;
    }
    this.#push(disp, 4);
  }

  #based(field: number, registers: number): void {
    const random = this.#random;
    const base = random.below(registers);
    const useSib = (base & 7) === SP || random.chance(2);
    let index = useSib ? random.below(registers) : SP;
    if (index === base) index = SP;
    const scale = random.below(4);
    const mod = (base & 7) === 5 ? 1 + random.below(2) : random.below(3);
    const disp = mod === 0 ? 0 : mod === 1 ? (random.word() << 24) >> 24 : random.word() >> random.below(31);
    this.#rex |= (base >> 3) | (useSib ? (index >> 3) << 1 : 0);
    this.#tail.push((mod << 6) | field | (useSib ? 4 : base & 7));
    if (useSib) this.#tail.push((scale << 6) | ((index & 7) << 3) | (base & 7));
    if (mod !== 0) this.#push(disp, mod === 1 ? 1 : 4);
    const indexed = useSib && index !== SP ? this.#regs[index] << BigInt(scale) : 0n;
    this.#setRegister(base, BigInt(this.address) - BigInt(disp) - indexed);
  }

  /** pop computes its address with rsp already moved. */
  #setRegister(register: number, value: bigint): void {
    const early = this.#form.name === 'pop rm' && register === SP ? BigInt(this.#bits / 8) : 0n;
    this.#regs[register] = BigInt.asUintN(this.#bits, value - early);
  }

  #immediate(): void {
    const random = this.#random;
    const size = this.#size;
    switch (this.#form.imm) {
      case 'b':
        this.imm = random.word() & 0xff;
        return this.#push(this.imm, 1);
      case 'w':
        return this.#push(random.word(), 2);
      case 'z':
        return this.#push(random.word() >> random.below(31), size === 2 ? 2 : 4);
      case 'v':
        this.#push(random.word(), Math.min(size, 4));
        if (size === 8) this.#push(random.word(), 4);
        return;
      case 'rel8':
        return this.#push(awayFromSelf(random.below(256) - 128), 1);
      case 'rel32':
        return this.#push(awayFromSelf(random.below(3000) - 1500), 4);
      default:
    }
  }

  #push(value: number, size: number): void {
    for (let i = 0; i < size; i++) this.#tail.push((value >>> (8 * i)) & 0xff);
  }

  #patchRipRelative(bytes: number[]): void {
    if (this.#ripDisp < 0) return;
    const at = bytes.length - this.#tail.length + this.#ripDisp;
    const disp = this.address - (Layout.CODE_AT + bytes.length);
    for (let i = 0; i < 4; i++) bytes[at + i] = (disp >>> (8 * i)) & 0xff;
  }
}
