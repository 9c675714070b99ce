import { BpfError, ByteReader, roundUp } from '../../base/index.js';
import type { ElfImage } from './elf-image.js';

/** One USDT probe of a file, as its note tells. Several places may have the same names. */
export interface UsdtNote {
  readonly provider: string;
  readonly name: string;
  /** Address of the probe's instruction in the linked image. */
  readonly pc: bigint;
  /** Address of its semaphore, or 0. */
  readonly semaphore: bigint;
  /** One string an argument, as the assembler wrote it: `-4@%eax`. */
  readonly args: readonly string[];
}

const SECTION = '.note.stapsdt';
const NT_STAPSDT = 3;
const NAME = 'stapsdt';

/**
 * The probes in .note.stapsdt, addresses put right where the file was prelinked since (.stapsdt.base). None where there is no
 * such section; EINVAL with the offset for a note that does not fit.
 */
export function readUsdtNotes(image: ElfImage): UsdtNote[] {
  const section = image.section(SECTION);
  if (section === undefined) return [];
  const base = image.section('.stapsdt.base')?.address ?? 0n;
  return parseUsdtNotes(image.bytesOf(section), image, base);
}

/** As `readUsdtNotes`, from the bytes of the section. `base`: address of .stapsdt.base, 0 where there is none. */
export function parseUsdtNotes(
  bytes: Uint8Array,
  { is64, littleEndian }: Pick<ElfImage, 'is64' | 'littleEndian'>,
  base: bigint,
): UsdtNote[] {
  const reader = new ByteReader(bytes, littleEndian, SECTION);
  const notes: UsdtNote[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const nameSize = reader.u32(at);
    const size = reader.u32(at + 4);
    const description = at + 12 + roundUp(nameSize, 4);
    const next = description + roundUp(size, 4);
    reader.slice(description, size);
    if (reader.u32(at + 8) === NT_STAPSDT && nameOf(reader, at + 12, nameSize) === NAME) {
      notes.push(readNote(reader, description, size, is64, base));
    }
    at = next;
  }
  return notes;
}

function readNote(reader: ByteReader, at: number, size: number, is64: boolean, base: bigint): UsdtNote {
  const word = is64 ? 8 : 4;
  const texts = at + 3 * word;
  const end = at + size;
  const address = (index: number): bigint =>
    is64 ? reader.u64(at + index * word) : BigInt(reader.u32(at + index * word));
  const provider = textAt(reader, texts, end, 'provider');
  const name = textAt(reader, provider.next, end, 'name');
  const args = textAt(reader, name.next, end, 'arguments');
  const moved = base === 0n ? 0n : base - address(1);
  const semaphore = address(2);
  return {
    provider: provider.text,
    name: name.text,
    pc: BigInt.asUintN(64, address(0) + moved),
    semaphore: semaphore === 0n ? 0n : BigInt.asUintN(64, semaphore + moved),
    args: splitArguments(args.text),
  };
}

/** Blanks part arguments, but not those inside of brackets: `8@[x1, 16]` is one. */
function splitArguments(text: string): string[] {
  return text.match(/(?:\[[^\]]*\]|\([^)]*\)|[^\s[(])+/g) ?? [];
}

function textAt(reader: ByteReader, at: number, end: number, what: string): { text: string; next: number } {
  const text = at < end ? reader.cstring(at) : null;
  const next = text === null ? end + 1 : at + new TextEncoder().encode(text).length + 1;
  if (text !== null && next <= end) return { text, next };
  throw new BpfError('EINVAL', `a USDT note ends before its ${what}`, {
    section: SECTION,
    offset: at,
    remedy: 'the file is truncated or corrupt',
  });
}

function nameOf(reader: ByteReader, at: number, size: number): string {
  if (size === 0) return '';
  const bytes = reader.slice(at, size);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, Math.min(end < 0 ? size : end, 16)));
}
