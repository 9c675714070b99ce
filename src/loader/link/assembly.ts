import { BpfError, BpfPseudo } from '../../base/index.js';
import { type Insn, INSN_SIZE } from '../../runtime/index.js';
import type { CodeReference } from '../code-relocations.js';
import type { CollectionCode } from '../collection-spec.js';
import type { ObjectFunction } from '../functions.js';
import type { CoreDiagnostic } from './core-diagnostic.js';
import type { CorePatcher } from './core-patcher.js';

export const OP_LD_IMM64 = 0x18;
export const OP_CALL = 0x85;

/** Limits of the kernel: BPF_MAX_SUBPROGS, and BPF_COMPLEXITY_LIMIT_INSNS. */
const MAX_FUNCTIONS = 256;
const MAX_INSNS = 1_000_000;

/** A function at its place in the program. */
export interface PlacedFunction {
  readonly each: ObjectFunction;
  /** First slot in the program. */
  readonly at: number;
}

/**
 * Puts a program together: the entry, then every function it calls or takes the address of, each at its first mention
 * and followed at once by the ones it mentions itself. That is libbpf's order.
 */
export class Assembly {
  readonly insns: Insn[] = [];
  readonly placed: PlacedFunction[] = [];
  readonly diagnostics: CoreDiagnostic[] = [];
  readonly #places = new Map<ObjectFunction, number>();
  readonly #code: CollectionCode;
  readonly #patcher: CorePatcher;

  constructor(entry: ObjectFunction, code: CollectionCode, patcher: CorePatcher) {
    this.#code = code;
    this.#patcher = patcher;
    this.#append(entry);
  }

  #append(each: ObjectFunction): number {
    const at = this.insns.length;
    const { insns, diagnostics } = this.#patcher.patch(each);
    if (this.#places.size >= MAX_FUNCTIONS) throw tooBig(each, 'functions', MAX_FUNCTIONS);
    if (at + insns.length > MAX_INSNS) throw tooBig(each, 'instructions', MAX_INSNS);
    this.#places.set(each, at);
    this.placed.push({ each, at });
    for (const insn of insns) this.insns.push(insn);
    for (const diagnostic of diagnostics) this.diagnostics.push({ ...diagnostic, insn: at + diagnostic.insn });
    this.#linkCalls(each, at);
    return at;
  }

  #linkCalls(each: ObjectFunction, at: number): void {
    const references = this.#code.references(each.sectionIndex);
    for (let slot = 0; slot < each.count; slot++) {
      const insn = this.insns[at + slot];
      const reference = references.get(each.start + slot);
      if (isSubprogCall(insn) && reference?.kind !== 'extern') this.#linkCall(each, at, slot, reference);
      else if (insn.code === OP_LD_IMM64 && reference?.kind === 'function')
        this.#linkAddress(each, at, slot, reference);
    }
  }

  /** Calls of global functions come with a reference, calls within a section may be without. */
  #linkCall(each: ObjectFunction, at: number, slot: number, reference: CodeReference | undefined): void {
    const insn = this.insns[at + slot];
    if (reference !== undefined && reference.kind !== 'function')
      throw this.#unexpected(each, slot, `a call refers to a ${reference.kind}`);
    const target =
      reference === undefined
        ? this.#callee(each, slot, each.sectionIndex, each.start + slot + insn.imm + 1)
        : this.#callee(each, slot, reference.sectionIndex, reference.offset / INSN_SIZE + insn.imm + 1);
    this.insns[at + slot] = { ...insn, imm: this.#placeOf(target) - (at + slot) - 1 };
  }

  #linkAddress(
    each: ObjectFunction,
    at: number,
    slot: number,
    reference: Extract<CodeReference, { kind: 'function' }>,
  ): void {
    const insn = this.insns[at + slot];
    const target = this.#callee(each, slot, reference.sectionIndex, (reference.offset + insn.imm) / INSN_SIZE);
    this.insns[at + slot] = { ...insn, src: BpfPseudo.BPF_PSEUDO_FUNC, imm: this.#placeOf(target) - (at + slot) - 1 };
  }

  #placeOf(each: ObjectFunction): number {
    return this.#places.get(each) ?? this.#append(each);
  }

  #callee(from: ObjectFunction, slot: number, sectionIndex: number, target: number): ObjectFunction {
    const found = this.#code.code.at(sectionIndex, target);
    if (found === undefined || found.start !== target)
      throw this.#unexpected(from, slot, `no function starts at instruction ${target} of its section`);
    return found;
  }

  #unexpected(each: ObjectFunction, slot: number, why: string): BpfError {
    return new BpfError('EINVAL', `function ${each.name} calls what is not a function`, {
      section: each.section,
      offset: (each.start + slot) * INSN_SIZE,
      remedy: why,
    });
  }
}

function isSubprogCall(insn: Insn): boolean {
  return insn.code === OP_CALL && insn.src === BpfPseudo.BPF_PSEUDO_CALL && insn.dst === 0 && insn.off === 0;
}

function tooBig(each: ObjectFunction, what: string, limit: number): BpfError {
  return new BpfError('E2BIG', `program with more than ${limit} ${what}`, {
    section: each.section,
    value: each.name,
    remedy: 'Linux takes no more either',
  });
}
