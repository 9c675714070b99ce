import { call, callSubprog } from '../builders.js';
import type { Insn } from '../insn.js';
import { AssemblyError } from './assembly-error.js';
import { helperId } from './helper-id.js';
import type { Token } from './tokenizer.js';

/** What a label is good for: a distance in `off` or `imm`, or the target of a call. */
export type LabelUse = 'off' | 'imm' | 'call';

interface Reference {
  readonly slot: number;
  readonly label: string;
  readonly use: LabelUse;
  readonly token: Token;
}

/** Collects instructions and labels, and fills in distances when all labels are known. */
export class ProgramBuilder {
  readonly #insns: Insn[] = [];
  readonly #labels = new Map<string, number>();
  readonly #references: Reference[] = [];
  /** How often each numeric label has been defined so far. */
  readonly #locals = new Map<string, number>();

  emit(...insns: readonly Insn[]): void {
    this.#insns.push(...insns);
  }

  /** Emits instructions of which the first refers to a label. */
  emitReference(label: Token, use: LabelUse, ...insns: readonly Insn[]): void {
    this.#references.push({ slot: this.#insns.length, label: this.#key(label), use, token: label });
    this.emit(...insns);
  }

  define(label: Token): void {
    let key = label.text;
    if (label.kind === 'number') {
      const times = (this.#locals.get(key) ?? 0) + 1;
      this.#locals.set(key, times);
      key = localKey(key, times);
    } else if (this.#labels.has(key)) {
      throw new AssemblyError(label, 'this label is defined twice', 'numeric labels (1:) may repeat');
    }
    this.#labels.set(key, this.#insns.length);
  }

  finish(): Insn[] {
    for (const reference of this.#references) this.#resolve(reference);
    return this.#insns;
  }

  /** Numeric labels repeat: `1b` is the last one so far, `1f` the next. */
  #key(label: Token): string {
    if (label.kind !== 'local') return label.text;
    const number = label.text.slice(0, -1);
    const times = this.#locals.get(number) ?? 0;
    return localKey(number, label.text.endsWith('b') ? times : times + 1);
  }

  #resolve(reference: Reference): void {
    const { slot, label, use, token } = reference;
    const target = this.#labels.get(label);
    const insn = this.#insns[slot];
    if (target === undefined) {
      this.#insns[slot] = use === 'call' ? helperCall(token) : unknownLabel(token);
      return;
    }
    const distance = target - slot - 1;
    if (use === 'call') {
      this.#insns[slot] = callSubprog(distance);
    } else if (use === 'imm') {
      this.#insns[slot] = { ...insn, imm: distance };
    } else if (distance >= -0x8000 && distance <= 0x7fff) {
      this.#insns[slot] = { ...insn, off: distance };
    } else {
      throw new AssemblyError(token, `the label is ${distance} instructions away, too far for 16 bits`, 'use gotol');
    }
  }
}

/** A key that no label of the text can have. */
function localKey(number: string, times: number): string {
  return `${number}:${times}`;
}

function unknownLabel(token: Token): never {
  throw new AssemblyError(token, 'there is no such label', `define it with '${token.text}:'`);
}

function helperCall(token: Token): Insn {
  const id = helperId(token.text);
  if (id !== undefined) return call(id);
  const hint = 'define the function as a label, or call a helper by name or number';
  throw new AssemblyError(token, 'this is neither a label nor a helper', hint);
}
