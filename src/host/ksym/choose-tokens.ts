import { tokenReference } from './ksym-tokens.js';

export type NameBytes = Uint8Array<ArrayBuffer>;

/** Numbers 0 .. 510; see `tokenReference` for why not 511. */
const TOKENS_MAX = 511;
/** Bytes of a reference at its longest: shorter beginnings save nothing. */
const REFERENCE = 4;

export interface ChosenTokens {
  readonly texts: readonly Uint8Array[];
  /** The payload that stands for a name: the longest token it begins with, then the rest. */
  compress(name: NameBytes): Uint8Array;
}

interface Candidate {
  readonly text: Uint8Array;
  readonly saves: number;
}

/** Picks the beginnings of names that save most when they are written once. The same names give the same tokens. */
export function chooseTokens(names: readonly NameBytes[]): ChosenTokens {
  const sorted = names.toSorted(compareBytes);
  const texts = sharedBeginnings(sorted)
    .toSorted((a, b) => b.saves - a.saves || compareBytes(a.text, b.text))
    .slice(0, TOKENS_MAX)
    .map(({ text }) => text);
  const numbers = new Map(texts.map((text, number) => [key(text), number]));
  const lengths = [...new Set(texts.map(({ length }) => length))].toSorted((a, b) => b - a);
  return { texts, compress: (name) => compress(name, lengths, numbers) };
}

/** Every beginning that two or more neighbours in the order of names share, longest runs first found last. */
function sharedBeginnings(sorted: readonly NameBytes[]): Candidate[] {
  const found: Candidate[] = [];
  // Runs that are open, with ever longer beginnings.
  const open: { length: number; from: number }[] = [];
  for (let i = 1; i <= sorted.length; i++) {
    const shared = i < sorted.length ? commonLength(sorted[i - 1], sorted[i]) : 0;
    let from = i - 1;
    while (open.length > 0 && open[open.length - 1].length > shared) {
      const { length, from: start } = open.pop() as { length: number; from: number };
      from = start;
      const saves = (length - REFERENCE) * (i - start) - length;
      if (saves > 0) found.push({ text: sorted[start].subarray(0, length), saves });
    }
    if (shared > REFERENCE && open[open.length - 1]?.length !== shared) open.push({ length: shared, from });
  }
  return found;
}

function compress(name: NameBytes, lengths: readonly number[], numbers: ReadonlyMap<string, number>): Uint8Array {
  for (const length of lengths) {
    if (length > name.length) continue;
    const number = numbers.get(key(name.subarray(0, length)));
    if (number === undefined) continue;
    return Uint8Array.from([...tokenReference(number), ...name.subarray(length)]);
  }
  return name;
}

/** Bytes as a key: a beginning may end in the midst of a character. */
function key(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a[i] === b[i]) i++;
  return i;
}

/** Names in the order of their bytes, as Rust compares strings. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
