import { sharedDrainCode } from './drain-code.js';
import type { EventField, FieldShape } from './event-fields.js';

/** What the generated text may use besides its own names. */
export interface EventTools {
  /** Twice 8 words over one buffer: what a value is put together in. */
  readonly words: Int32Array;
  readonly u64: BigUint64Array;
  readonly s64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** The characters of `words` from byte `start` on, up to the first NUL. */
  text(start: number, length: number): string;
  /** The enumerator of that value by the number of its field, or the value itself. */
  enumerator(field: number, value: number | bigint): string | number | bigint;
  /** A field that only the record's bytes tell. */
  decode(field: number, bytes: Uint8Array): unknown;
  tooShort(length: number): never;
}

/** More words than this and a copy of the record costs less than an object of so many properties. */
const MAX_WORDS = 32;

/** Which words of the record an event keeps, with the bits of each that mean something. */
type KeptWords = Map<number, number>;

/**
 * The text of a class for records with these fields, and of the loop that takes such records from a shared ring. An
 * event keeps the words it needs as 32-bit integers, which cost neither a bigint nor a boxed number; accessors on
 * the prototype put values together when they are asked for. Names from BTF occur as string literals only.
 */
export function eventCode(fields: readonly EventField[], size: number): string {
  const kept: KeptWords = new Map();
  const accessors = fields.map(({ name, shape }, index) => {
    const body = keep(kept, shape) && shape.kind !== 'bytes' ? accessor(shape, index) : undefined;
    return { name, body: body ?? `return tools.decode(${index}, this[BYTES]);`, fromBytes: body === undefined };
  });
  const words = [...kept].toSorted(([a], [b]) => a - b);
  const needsBytes = accessors.some(({ fromBytes }) => fromBytes);
  return `'use strict';
const BYTES = Symbol('bytes');
${words.map(([word]) => `const ${keyOf(word)} = Symbol('word ${word}');`).join('\n')}
const { words, u64, s64, f32, f64, tooShort } = tools;
class Event {
  constructor(from, at, length, bytes) {
    ${words.map(([word, mask]) => `this[${keyOf(word)}] = from[at + ${word}]${mask === -1 ? '' : ` & ${mask}`};`).join('\n    ')}
    ${needsBytes ? 'this[BYTES] = bytes.slice(4 * at, 4 * at + length);' : ''}
  }
  ${accessors.map(({ name, body }) => `get [${JSON.stringify(name)}]() { ${body} }`).join('\n  ')}
}
${sharedDrainCode(size)}
return { Event, drainShared };`;
}

/** Notes the words that a field takes; false where they would be too many. */
function keep(kept: KeptWords, shape: FieldShape): boolean {
  if (shape.kind === 'bytes') return false;
  const end = shape.bitOffset + shape.bits;
  const masks: [word: number, mask: number][] = [];
  for (let bit = shape.bitOffset; bit < end; bit = 32 * ((bit >>> 5) + 1)) {
    const count = Math.min(end - bit, 32 - (bit & 31));
    masks.push([bit >>> 5, (count === 32 ? -1 : (1 << count) - 1) << (bit & 31)]);
  }
  if (kept.size + masks.filter(([word]) => !kept.has(word)).length > MAX_WORDS) return false;
  for (const [word, mask] of masks) kept.set(word, (kept.get(word) ?? 0) | mask);
  return true;
}

const keyOf = (word: number): string => `W${word}`;
const wordOf = (word: number): string => `this[${keyOf(word)}]`;

/** The body of a field's accessor. */
function accessor(shape: Exclude<FieldShape, { kind: 'bytes' }>, index: number): string {
  const { bitOffset, bits } = shape;
  const isWide = bits > 32;
  switch (shape.kind) {
    case 'boolean':
      return `return (${bitsOf(bitOffset, Math.min(bits, 32))}${isWide ? ` | ${bitsOf(bitOffset + 32, bits - 32)}` : ''}) !== 0;`;
    case 'integer':
      return `${prepared(shape, shape.signed)}return ${valueOf(shape, shape.signed)};`;
    case 'enum':
      return `${prepared(shape, shape.type.signed)}return tools.enumerator(${index}, ${valueOf(shape, shape.type.signed)});`;
    case 'float':
      return `${inScratch(bitOffset, bits, false)}return ${isWide ? 'f64' : 'f32'}[0];`;
    default:
      return `${scratchWords(bitOffset, bits)}return tools.text(${(bitOffset & 31) / 8}, ${bits / 8});`;
  }
}

/** Statements in front of `valueOf`. */
function prepared({ bitOffset, bits, wide }: { bitOffset: number; bits: number; wide: boolean }, signed: boolean) {
  return wide ? inScratch(bitOffset, bits, signed) : '';
}

function valueOf({ bitOffset, bits, wide }: { bitOffset: number; bits: number; wide: boolean }, signed: boolean) {
  if (wide) return signed ? 's64[0]' : 'u64[0]';
  return extended(bitOffset, bits, signed);
}

/** Puts up to 64 bits, extended, into the first two scratch words. */
function inScratch(bitOffset: number, bits: number, signed: boolean): string {
  const low = extended(bitOffset, Math.min(bits, 32), signed);
  const high = bits > 32 ? extended(bitOffset + 32, bits - 32, signed) : signed ? 'words[0] >> 31' : '0';
  return `words[0] = ${low}; words[1] = ${high}; `;
}

function scratchWords(bitOffset: number, bits: number): string {
  const first = bitOffset >>> 5;
  const count = ((bitOffset + bits + 31) >>> 5) - first;
  return Array.from({ length: count }, (_, i) => `words[${i}] = ${wordOf(first + i)}; `).join('');
}

/** Up to 32 bits as the number they stand for. */
function extended(bitOffset: number, bits: number, signed: boolean): string {
  const raw = bitsOf(bitOffset, bits);
  if (!signed) return `(${raw}) >>> 0`;
  return bits === 32 ? `(${raw}) | 0` : `(${raw}) << ${32 - bits} >> ${32 - bits}`;
}

/** Up to 32 bits at any offset, from one word or two. */
function bitsOf(bitOffset: number, bits: number): string {
  const word = bitOffset >>> 5;
  const shift = bitOffset & 31;
  const low = shift === 0 ? wordOf(word) : `${wordOf(word)} >>> ${shift}`;
  const both = shift + bits > 32 ? `(${low} | ${wordOf(word + 1)} << ${32 - shift})` : `(${low})`;
  return bits === 32 ? both : `${both} & ${(1 << bits) - 1}`;
}
