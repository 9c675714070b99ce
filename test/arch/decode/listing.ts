import { decodeInsn, X86Insn, type X86Bits } from '../../../src/arch/index.js';
import type { Capstone } from '../../oracle/capstone.js';
import type { Objdump, ObjdumpInsn, ObjdumpOptions } from '../../oracle/objdump.js';

/** What came of comparing a listing with the decoder, and the same bytes with Capstone. */
export interface ListingResult {
  /** Instructions whose lengths were compared. */
  compared: number;
  /** Lines that objdump itself calls no instruction: data among the code. */
  bad: number;
  /** Encodings, each once, that Capstone was asked about. */
  asked: number;
  /** Those that Capstone does not know, by objdump's mnemonic. */
  readonly unknown: Map<string, number>;
  /** `address bytes text: lengths`, at most a few. */
  readonly differences: string[];
}

const ENOUGH = 20;
const FWAIT = 0x9b;

/**
 * Decodes what objdump lists in `file`, `limit` lines of it. The rule of what is compared: every line counts with all
 * of its bytes, and data that objdump shows as an instruction must have that instruction's length here too. Two kinds of
 * lines are told apart: "(bad)" is where objdump gives up, so no length is known; and objdump shows fwait together with
 * the x87 instruction behind it as one, where the processor has two (it can take an interrupt between them). Capstone
 * is not asked about the latter, nor about ud1, whose ModRM byte (Intel's manual, objdump, the processor) it leaves out.
 */
export async function compareListing(
  objdump: Objdump,
  file: string,
  bits: X86Bits,
  options: ObjdumpOptions & { readonly limit: number; readonly capstone?: Capstone },
): Promise<ListingResult> {
  const result: ListingResult = { compared: 0, bad: 0, asked: 0, unknown: new Map(), differences: [] };
  const seen = new Set<string>();
  const extra = bits === 32 ? ['-M', 'i386', ...(options.extra ?? [])] : options.extra;
  for await (const insns of objdump.disassemble(file, { ...options, ...(extra === undefined ? {} : { extra }) })) {
    for (const insn of insns) {
      if (result.compared + result.bad >= options.limit) return result;
      compareInsn(insn, bits, result);
      if (options.capstone !== undefined) askCapstone(insn, options.capstone, seen, result);
    }
  }
  return result;
}

const decoded = new X86Insn();

function compareInsn({ address, bytes, text }: ObjdumpInsn, bits: X86Bits, result: ListingResult): void {
  if (text.includes('(bad)')) {
    result.bad++;
    return;
  }
  result.compared++;
  const length = lengthOf(bytes, bits);
  if (length !== bytes.length) report(result, { address, bytes, text }, `${length} here`);
}

/** Length of the instruction, or of fwait and the instruction behind it, that fills `bytes`; 0 where none does. */
function lengthOf(bytes: Uint8Array, bits: X86Bits): number {
  const length = decodeInsn(bytes, 0, decoded, bits)?.length ?? 0;
  if (length !== 1 || bytes[0] !== FWAIT || bytes.length === 1) return length;
  return 1 + (decodeInsn(bytes, 1, decoded, bits)?.length ?? 0);
}

function askCapstone(insn: ObjdumpInsn, capstone: Capstone, seen: Set<string>, result: ListingResult): void {
  const { bytes, text } = insn;
  if (text.includes('(bad)') || text.startsWith('ud1') || bytes[0] === FWAIT) return;
  const key = String.fromCharCode(...bytes);
  if (seen.has(key)) return;
  seen.add(key);
  result.asked++;
  const { length } = capstone.decode(bytes);
  if (length === bytes.length) return;
  if (length !== 0) return report(result, insn, `${length} by Capstone`);
  const mnemonic = text.split(' ')[0];
  result.unknown.set(mnemonic, (result.unknown.get(mnemonic) ?? 0) + 1);
}

function report(result: ListingResult, { address, bytes, text }: ObjdumpInsn, lengths: string): void {
  if (result.differences.length >= ENOUGH) return;
  const hex = Buffer.from(bytes).toString('hex');
  result.differences.push(`${address.toString(16)} ${hex} ${text}: ${bytes.length} by objdump, ${lengths}`);
}
