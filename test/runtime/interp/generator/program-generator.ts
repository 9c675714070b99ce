import { BpfProgType } from '../../../../src/base/index.js';
import type { Insn, InsnForm } from '../../../../src/runtime/index.js';
import * as isa from '../../../../src/runtime/isa/index.js';
import { INSN_FORMS } from '../../../../src/runtime/isa/insn-forms.js';
import { MapArea, StackArea } from './layout.js';
import type { Piece } from './piece.js';
import { Random } from './random.js';
import {
  arithmetic,
  atomic,
  condition,
  mark,
  memoryAccess,
  reload,
  type StatementContext,
  throughMapValue,
  wideImmediate,
} from './statement.js';

/** What a program is generated from: shrinking drops statements and keeps the rest as it was. */
export interface ProgramSeed {
  readonly type: number;
  readonly data: number;
  readonly main: readonly number[];
  readonly subprograms: readonly (readonly number[])[];
}

/** What programs do besides, in a world with more maps than one. */
export interface WorldPart {
  /** Percentage of the main program's statements that are of this kind. */
  readonly share: number;
  statement(random: Random, type: number): Piece;
  /** The registers are mixed with those of the program that has tail-called this one. */
  readonly mixesRegisters: boolean;
  /** Before the program returns: what follows is reached where the tail call is not made. */
  tailCall(random: Random): readonly Insn[];
}

export interface GeneratedProgram {
  readonly type: number;
  /** The array map is number `map` in the immediates of 64-bit loads. */
  readonly insns: readonly Insn[];
  /** The map's value before the run. */
  readonly value: Uint8Array;
  readonly packet: Uint8Array;
  /** How often each form is executed if nothing conditional is, and per flag how often more if that block is. */
  readonly always: ReadonlyMap<string, number>;
  readonly conditional: readonly ReadonlyMap<string, number>[];
  /** Some packet load misses the packet, which ends the program before it has stored its registers. */
  readonly endsEarly: boolean;
  /** The slots at which functions begin, the main one first. */
  readonly functions: readonly number[];
}

const CALLER_SAVED = [1, 2, 3, 4, 5];
const CALLEE_SAVED = [6, 7, 8];
const ALL = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const R9 = 9;
const R10 = 10;
const PACKET_SIZE = 64;
const ETH_HLEN = 14;

/** Forms that generated programs do not have, each for a reason. */
const excluded: readonly (readonly [RegExp, string])[] = [
  [/^addr_space_cast/, 'needs an arena'],
  [/^call_kfunc$/, 'kernel functions are outside the instruction set'],
  [/^ld_(btf_id|func|map_idx|map_idx_value)$/, 'need BTF or a descriptor array; constants to the engine'],
];

/** The forms whose execution is counted. */
export const generatedForms: readonly InsnForm[] = INSN_FORMS.filter(
  ({ name }) => !excluded.some(([pattern]) => pattern.test(name)),
);

const arithmeticForms = generatedForms.filter(({ code }) => (code & 7) === isa.BPF_ALU || (code & 7) === isa.BPF_ALU64);

/** Builds the program that a seed stands for. `map` goes to the immediates of map loads. */
export function generate(seed: ProgramSeed, map: number, world?: WorldPart): GeneratedProgram {
  return new Generator(seed, map, world).generate();
}

class Generator {
  readonly #seed: ProgramSeed;
  readonly #map: number;
  readonly #always = new Map<string, number>();
  readonly #conditional: Map<string, number>[] = [];
  /** Where the subprogram calls stand, to be aimed at the end. */
  readonly #calls: { readonly at: number; readonly subprogram: number }[] = [];
  /** Where the addresses of callbacks stand, to be aimed at the end. */
  readonly #callbacks: { readonly at: number; readonly body: readonly Insn[] }[] = [];
  readonly #insns: Insn[] = [];
  readonly #world: WorldPart | undefined;
  #flags = 0;
  #endsEarly = false;

  constructor(seed: ProgramSeed, map: number, world: WorldPart | undefined) {
    this.#seed = seed;
    this.#map = map;
    this.#world = world;
  }

  generate(): GeneratedProgram {
    const data = new Random(this.#seed.data);
    const value = new Uint8Array(MapArea.size);
    for (let i = MapArea.data; i < MapArea.size; i++)
      value[i] = data.chance(40) ? data.pick([0, 0x80, 0xff]) : data.word();
    const packet = Uint8Array.from({ length: PACKET_SIZE }, () => data.word());
    this.#mainProgram();
    const starts = this.#seed.subprograms.map((statements, i) => this.#subprogram(statements, i));
    for (const { at, subprogram } of this.#calls) this.#insns[at] = isa.callSubprog(starts[subprogram] - at - 1);
    for (const { at, body } of this.#callbacks) {
      starts.push(this.#insns.length);
      this.#insns[at] = { ...this.#insns[at], imm: this.#insns.length - at - 1 };
      this.#add(...body);
    }
    return {
      type: this.#seed.type,
      insns: this.#insns,
      value,
      packet,
      always: this.#always,
      conditional: this.#conditional,
      endsEarly: this.#endsEarly,
      functions: [0, ...starts],
    };
  }

  #mainProgram(): void {
    const random = new Random(this.#seed.data ^ 0x5bd1_e995);
    const context = this.#context(random, ALL, true);
    this.#add(isa.stx(isa.BPF_DW, R10, 1, StackArea.ctx));
    this.#add(...this.#mapPointer(R9, MapArea.data));
    for (const register of ALL) this.#add(isa.ldx(isa.BPF_DW, register, R9, 8 * register));
    for (let off = 0; off < StackArea.dataSize; off += 8) {
      this.#add(isa.stx(isa.BPF_DW, R10, random.pick(ALL), StackArea.data + off));
    }
    for (const statement of this.#seed.main) this.#statement({ ...context, random: new Random(statement) }, true, -1);
    // Every subprogram must be called at least once: unreachable code is refused.
    this.#seed.subprograms.forEach((_, i) => this.#call(i, context));
    this.#epilogue(random);
  }

  /** Stores r0 to r9 and returns one of them. */
  #epilogue(random: Random): void {
    this.#add(isa.mov64Reg(R9, random.pick(ALL)));
    for (let r = 0; r < 10; r++) this.#add(isa.stx(isa.BPF_DW, R10, r, StackArea.registers + 8 * r));
    this.#add(...this.#mapPointer(1, MapArea.registers));
    for (let r = 0; r < 10; r++) {
      this.#add(isa.ldx(isa.BPF_DW, 0, R10, StackArea.registers + 8 * r));
      if (this.#world?.mixesRegisters === true) {
        this.#add(isa.ldx(isa.BPF_DW, 2, 1, 8 * r), isa.alu64Imm(isa.BPF_MUL, 2, 31), isa.alu64Reg(isa.BPF_ADD, 0, 2));
      }
      this.#add(isa.stx(isa.BPF_DW, 1, 0, 8 * r));
    }
    const jump = this.#world?.tailCall(random) ?? [];
    if (jump.length > 0) this.#add(...jump, isa.ldx(isa.BPF_DW, 0, R10, StackArea.registers + 72));
    this.#add(isa.exit());
  }

  /** r1 to r5 come in, r0 goes out; r6 to r9 are its own. Returns where it starts. */
  #subprogram(statements: readonly number[], index: number): number {
    const start = this.#insns.length;
    const random = new Random(start);
    const context = this.#context(random, ALL, false);
    this.#add(...this.#mapPointer(R9, MapArea.data));
    for (const [to, from] of [
      [6, 1],
      [7, 2],
      [8, 3],
      [0, 4],
    ] as const)
      this.#add(isa.mov64Reg(to, from));
    for (const statement of statements) this.#statement({ ...context, random: new Random(statement) }, false, index);
    this.#add(isa.exit());
    return start;
  }

  #context(random: Random, writable: readonly number[], hasStackData: boolean): StatementContext {
    return { random, writable, hasStackData, nextFlag: () => this.#flags++ };
  }

  #statement(context: StatementContext, isMain: boolean, subprogram: number): void {
    if (this.#world !== undefined && isMain && context.random.chance(this.#world.share)) {
      this.#worldStatement(this.#world, context);
      return;
    }
    const form = context.random.pick(generatedForms);
    const simple = this.#simple(form, context);
    if (simple !== undefined) this.#add(...simple);
    else if (form.name === 'ja' || form.name === 'gotol') this.#diamond(form, context);
    else if (form.name === 'may_goto') this.#loop(context, true);
    else if (form.name === 'call_helper' || form.name === 'ld_map_fd') this.#lookup(context, isMain);
    else if (form.name === 'call_subprog' || form.name === 'exit') this.#callSome(context, subprogram);
    else if (form.name.startsWith('ld_abs') || form.name.startsWith('ld_ind')) this.#packetLoad(form, context, isMain);
    else if (context.random.chance(10)) this.#loop(context, false);
    else this.#skip(form, context);
  }

  /** Leaves a scalar in r0, which a register that lives on takes up, and destroys r1 to r5. */
  #worldStatement(world: WorldPart, { random }: StatementContext): void {
    const { insns, callbacks } = world.statement(random, this.#seed.type);
    for (const { at, body } of callbacks) this.#callbacks.push({ at: this.#insns.length + at, body });
    this.#add(...insns, isa.alu64Reg(isa.BPF_ADD, random.pick(CALLEE_SAVED), 0), ...reload(CALLER_SAVED, random));
  }

  /** Statements of straight code; undefined for forms that need more. */
  #simple(form: InsnForm, context: StatementContext): Insn[] | undefined {
    const cls = form.code & 7;
    if (cls === isa.BPF_ALU || cls === isa.BPF_ALU64) return arithmetic(form, context);
    if (form.name === 'ld_imm64') return wideImmediate(context);
    if (form.name === 'ld_map_value') return throughMapValue(context, this.#map);
    if (/^(ldx|st|stx|load_acquire|store_release)_/.test(form.name)) return memoryAccess(form, context);
    if (/^(atomic|xchg|cmpxchg)_/.test(form.name)) return atomic(form, context);
    return undefined;
  }

  /** if (...) skip a block */
  #skip(form: InsnForm, context: StatementContext): void {
    const block = this.#block(context, 1 + context.random.below(3));
    this.#add(...condition(form, context, block.length));
    this.#conditionally(block);
  }

  /** if (...) { block; goto end } block; end: */
  #diamond(form: InsnForm, context: StatementContext): void {
    const jumps = generatedForms.filter(({ name }) => /^j.*(imm|reg)$/.test(name));
    const left = this.#block(context, 1 + context.random.below(2));
    const right = this.#block(context, 1 + context.random.below(2));
    left.push(form.name === 'ja' ? isa.ja(right.length) : isa.gotol(right.length));
    this.#add(...condition(context.random.pick(jumps), context, left.length));
    this.#conditionally(left);
    this.#conditionally(right);
  }

  /** A block of a few times, counted down; with may_goto, which never fires, at its head. */
  #loop(context: StatementContext, withMayGoto: boolean): void {
    const { random } = context;
    const counter = random.pick(ALL);
    const body = this.#block({ ...context, writable: ALL.filter((r) => r !== counter) }, 1 + random.below(3));
    const times = 1 + random.below(4);
    const head = withMayGoto ? [isa.mayGoto(body.length + 2)] : [];
    this.#add(isa.mov64Imm(counter, times), ...head);
    this.#conditionally(body);
    this.#add(isa.alu64Imm(isa.BPF_ADD, counter, -1));
    this.#add(isa.jmpImm(isa.BPF_JNE, counter, 0, -(head.length + body.length + 2)));
  }

  /** Straight code that marks itself as entered. */
  #block(context: StatementContext, statements: number): Insn[] {
    const insns = [mark(context)];
    while (statements-- > 0) insns.push(...arithmetic(context.random.pick(arithmeticForms), context));
    return insns;
  }

  /** bpf_map_lookup_elem of key 0 gives the pointer in r9 anew. */
  #lookup(context: StatementContext, isMain: boolean): void {
    if (!isMain) return;
    this.#add(isa.st(isa.BPF_W, R10, StackArea.key, 0));
    this.#add(...isa.ldImm64(1, BigInt(this.#map), 1));
    this.#add(isa.mov64Reg(2, R10), isa.alu64Imm(isa.BPF_ADD, 2, StackArea.key));
    this.#add(isa.call(1), isa.jmpImm(isa.BPF_JNE, 0, 0, 1));
    this.#insns.push(isa.exit());
    this.#add(isa.mov64Reg(R9, 0), isa.alu64Imm(isa.BPF_ADD, R9, MapArea.data));
    this.#add(...reload([0, ...CALLER_SAVED], context.random));
  }

  /** Subprograms call only later ones, so that there is no recursion and the depth stays small. */
  #callSome(context: StatementContext, caller: number): void {
    const callees = this.#seed.subprograms.map((_, i) => i).filter((i) => i > caller);
    if (callees.length > 0 && (caller < 0 || context.random.chance(20)))
      this.#call(context.random.pick(callees), context);
  }

  #call(subprogram: number, context: StatementContext): void {
    this.#calls.push({ at: this.#insns.length, subprogram });
    this.#add(isa.callSubprog(0), ...reload(CALLER_SAVED, context.random));
  }

  /** LD_ABS and LD_IND want the context in r6 and destroy r1 to r5. One in a hundred misses the packet. */
  #packetLoad(form: InsnForm, context: StatementContext, isMain: boolean): void {
    if (!isMain || this.#seed.type === BpfProgType.BPF_PROG_TYPE_XDP) return;
    const { random } = context;
    const misses = random.chance(1);
    this.#endsEarly ||= misses;
    const indirect = form.name.startsWith('ld_ind');
    const offset = misses ? PACKET_SIZE : random.below(PACKET_SIZE - ETH_HLEN - 4 - (indirect ? 15 : 0));
    this.#add(isa.ldx(isa.BPF_DW, 6, R10, StackArea.ctx));
    if (indirect) this.#add(isa.alu64Imm(isa.BPF_AND, 7, 15));
    this.#add(isa.insn(form.code, 0, indirect ? 7 : 0, 0, offset));
    this.#add(...reload([6, ...CALLER_SAVED], random));
  }

  #mapPointer(register: number, offset: number): Insn[] {
    return isa.ldImm64(register, (BigInt(offset) << 32n) | BigInt(this.#map), 2);
  }

  #add(...insns: Insn[]): void {
    this.#insns.push(...insns);
    count(this.#always, insns);
  }

  #conditionally(block: readonly Insn[]): void {
    const [entered] = block;
    const counts = new Map<string, number>();
    this.#insns.push(...block);
    count(counts, block);
    this.#conditional[entered.off - (MapArea.flags - MapArea.data)] = counts;
  }
}

function count(counts: Map<string, number>, insns: readonly Insn[]): void {
  for (const insn of insns) {
    // The second slot of a 64-bit load is no form of its own.
    const name = insn.code === 0 ? undefined : isa.formOf(insn)?.name;
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}
