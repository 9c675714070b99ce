/** How values of a type are shown: conversion of the `print fmt`, and what prints one. */
export type FetchFormat = 'unsigned' | 'signed' | 'hex' | 'symbol' | 'char' | 'string';

/** A type of fetch arguments (kernel/trace/trace_kprobe.c, trace_probe.h). */
export interface FetchType {
  readonly name: string;
  /** Bytes in the record; strings have a word that says where they are. */
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  /** As the `format` file calls it. */
  readonly fieldType: string;
  readonly format: FetchFormat;
  /** Which text it holds: kernel memory, user memory or a symbol's name. */
  readonly text: 'string' | 'ustring' | 'symstr' | null;
}

const SIZES = [1, 2, 4, 8] as const;

const integers: FetchType[] = SIZES.flatMap((size) => {
  const bits = 8 * size;
  return [
    { name: `u${bits}`, size, signed: false, fieldType: `u${bits}`, format: 'unsigned' as const, text: null },
    { name: `s${bits}`, size, signed: true, fieldType: `s${bits}`, format: 'signed' as const, text: null },
    { name: `x${bits}`, size, signed: false, fieldType: `u${bits}`, format: 'hex' as const, text: null },
  ];
});

function stringType(name: 'string' | 'ustring' | 'symstr'): FetchType {
  return { name, size: 4, signed: true, fieldType: '__data_loc char[]', format: 'string', text: name };
}

const TYPES: ReadonlyMap<string, FetchType> = new Map(
  [
    ...integers,
    { name: 'char', size: 1 as const, signed: true, fieldType: 'char', format: 'char' as const, text: null },
    ...(['string', 'ustring', 'symstr'] as const).map(stringType),
  ].map((type) => [type.name, type]),
);

/**
 * The type of that name. Without a name it is a number of the machine's word in hexadecimal; a bit field `bWIDTH@OFFSET/SIZE`
 * is found by its container. Undefined where there is none.
 */
export function findFetchType(name: string | null, wordSize: 4 | 8): FetchType | undefined {
  if (name === null) return TYPES.get(`x${8 * wordSize}`);
  if (name === 'symbol') return symbolType(wordSize);
  if (!name.startsWith('b')) return TYPES.get(name);
  const container = /\/(?:0[xX]0*|0*)([0-9a-fA-F]+)$/.exec(name)?.[1];
  return TYPES.get(`u${bitsOf(name, container)}`);
}

/** The width behind the slash, in whatever base. */
function bitsOf(name: string, digits: string | undefined): number {
  const text = name.slice(name.indexOf('/') + 1);
  if (digits === undefined) return 0;
  return /^0[xX]/.test(text) ? Number.parseInt(digits, 16) : Number(text.startsWith('0') ? `0o${digits}` : digits);
}

function symbolType(wordSize: 4 | 8): FetchType {
  const bits = 8 * wordSize;
  return { name: 'symbol', size: wordSize, signed: false, fieldType: `u${bits}`, format: 'symbol', text: null };
}
