import type { ObjdumpInsn } from '../oracle/objdump.js';

/** What a decoder says of the instruction that some bytes begin. */
export interface Decoded {
  readonly length: number;
  readonly class: string;
}

/** What came out of comparing a decoder with a disassembler. */
export interface Comparison {
  /** Instructions compared, and how many of them were of two bytes. */
  count: number;
  short: number;
  /** Those that the tool showed as bytes only; their length is compared, their class is not. */
  undecoded: number;
  /** How often each class came up. */
  readonly classes: Record<string, number>;
  /** The first few, in words. */
  readonly lengthDifferences: string[];
  readonly classDifferences: string[];
}

const SHOWN = 20;
const LONGEST = 16;

/**
 * Decodes what the tool decoded, at its addresses. `classOf` gives the class of an instruction by the tool's text, null
 * where that text shows bytes only. Ends after `most` instructions.
 */
export async function compareWithTool(
  listing: AsyncIterable<readonly ObjdumpInsn[]>,
  decode: (bytes: Uint8Array) => Decoded,
  classOf: (text: string) => string | null,
  most = Number.POSITIVE_INFINITY,
): Promise<Comparison> {
  const result: Comparison = {
    count: 0,
    short: 0,
    undecoded: 0,
    classes: {},
    lengthDifferences: [],
    classDifferences: [],
  };
  for await (const batch of listing) {
    for (const insn of batch) compareOne(result, insn, decode, classOf(insn.text));
    if (result.count >= most) break;
  }
  return result;
}

function compareOne(
  result: Comparison,
  { address, bytes, text }: ObjdumpInsn,
  decode: (bytes: Uint8Array) => Decoded,
  expected: string | null,
): void {
  // What follows must not matter.
  const padded = new Uint8Array(LONGEST).fill(0xff);
  padded.set(bytes);
  const decoded = decode(padded);
  const shown = `${address.toString(16)}: ${Buffer.from(bytes).toString('hex')} ${text}`;
  result.count++;
  if (bytes.length === 2) result.short++;
  if (decoded.length !== bytes.length) note(result.lengthDifferences, `${shown}: ${decoded.length}`);
  if (expected === null) {
    result.undecoded++;
    return;
  }
  result.classes[expected] = (result.classes[expected] ?? 0) + 1;
  if (decoded.class !== expected) note(result.classDifferences, `${shown}: ${decoded.class} instead of ${expected}`);
}

function note(list: string[], text: string): void {
  if (list.length < SHOWN) list.push(text);
}
