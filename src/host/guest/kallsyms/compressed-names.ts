import type { TokenTable } from './token-table.js';

/** kallsyms_num_syms and kallsyms_names, with names still compressed. */
export interface CompressedNames {
  /** Offset of kallsyms_num_syms. */
  readonly countAt: number;
  readonly count: number;
  /** Offset of kallsyms_names. */
  readonly start: number;
}

const SYMBOLS_PER_MARKER = 256;
/** No name compresses to more: the kernel's KSYM_NAME_LEN. */
const MAX_NAME_BYTES = 512;
/** Fewer markers than this is no kernel, but noise. */
const MIN_MARKERS = 4;
/** 6.2 and 6.3 keep three bytes per symbol between markers and tokens. */
const MAX_GAP = 1 << 20;

/** Finds names and their number before the tokens: kallsyms_markers tell where each 256th name begins, and that must hold. */
export function findNames(bytes: Uint8Array, tokens: TokenTable): CompressedNames | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stop = Math.max(0, tokens.start - MAX_GAP);
  for (let end = tokens.start & ~3; end > stop; end -= 4) {
    const markers = markersBefore(view, end);
    if (markers === null) continue;
    const names = namesBefore(bytes, view, markers);
    if (names !== null) return names;
  }
  return null;
}

interface Markers {
  readonly start: number;
  readonly offsets: readonly number[];
}

/** The ascending words that end at `end` and begin with 0. */
function markersBefore(view: DataView, end: number): Markers | null {
  const offsets: number[] = [];
  let at = end - 4;
  let next = 2 ** 32;
  for (; at >= 0; at -= 4) {
    const offset = view.getUint32(at, true);
    if (offset >= next || next - offset > 2 ** 32) return null;
    if (next !== 2 ** 32 && next - offset > SYMBOLS_PER_MARKER * MAX_NAME_BYTES) return null;
    offsets.push(offset);
    if (offset === 0) break;
    next = offset;
  }
  return offsets.length < MIN_MARKERS || at < 0 ? null : { start: at, offsets: offsets.toReversed() };
}

function namesBefore(bytes: Uint8Array, view: DataView, { start, offsets }: Markers): CompressedNames | null {
  const last = offsets[offsets.length - 1];
  const latest = (start - last - 2) & ~3;
  const earliest = Math.max(8, latest - SYMBOLS_PER_MARKER * MAX_NAME_BYTES);
  for (let at = latest; at >= earliest; at -= 4) {
    for (const countAt of [at - 4, at - 8]) {
      const count = view.getUint32(countAt, true);
      if (Math.ceil(count / SYMBOLS_PER_MARKER) !== offsets.length) continue;
      if (countAt === at - 8 && view.getUint32(at - 4, true) !== 0) continue;
      if (namesFit(bytes, at, count, offsets, start)) return { countAt, count, start: at };
    }
  }
  return null;
}

/** Whether `count` names that begin at `start` pass all markers and end right before `limit`. */
function namesFit(bytes: Uint8Array, start: number, count: number, markers: readonly number[], limit: number): boolean {
  let at = start;
  for (let i = 0; i < count; i++) {
    if (i % SYMBOLS_PER_MARKER === 0 && at - start !== markers[i / SYMBOLS_PER_MARKER]) return false;
    if (at >= limit) return false;
    at = nameEnd(bytes, at);
  }
  return at <= limit && limit - at < 8;
}

/** Offset behind the name at `at`: its length is one byte, or two where the first has its top bit set. */
function nameEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  return first < 0x80 ? at + 1 + first : at + 2 + (first & 0x7f) + (bytes[at + 1] << 7);
}

/** All names, each with the letter of its type in front, by symbol. */
export function expandNames(bytes: Uint8Array, { start, count }: CompressedNames, { tokens }: TokenTable): string[] {
  const names: string[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const end = nameEnd(bytes, at);
    let name = '';
    for (let token = at + (bytes[at] < 0x80 ? 1 : 2); token < end; token++) name += tokens[bytes[token]];
    names.push(name);
    at = end;
  }
  return names;
}
