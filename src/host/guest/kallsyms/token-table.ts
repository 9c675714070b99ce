/** The 256 strings that stand for one byte each in compressed symbol names, and where they were found. */
export interface TokenTable {
  readonly tokens: readonly string[];
  /** Offset of kallsyms_token_table. */
  readonly start: number;
  /** Offset of the first byte behind kallsyms_token_index. */
  readonly end: number;
}

const TOKENS = 256;
const INDEX_BYTES = 2 * TOKENS;
/** Longest token the kernel's build makes, and some: each is at most a whole symbol name. */
const MAX_TOKEN = 512;

/**
 * Finds kallsyms_token_table and the kallsyms_token_index behind it (scripts/kallsyms.c) at or after `from` by what they
 * are: 256 offsets that ascend from 0, and 256 NUL-terminated strings which begin there.
 */
export function findTokenTable(bytes: Uint8Array, from: number): TokenTable | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = (from + 3) & ~3; at + INDEX_BYTES <= bytes.length; at += 4) {
    // Cheap first looks: nearly every place fails one of them.
    if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 3] !== 0 || bytes[at + 2] < 2) continue;
    if (!ascends(view, at)) continue;
    const start = tableStart(bytes, view, at);
    if (start >= 0) return { tokens: tokensAt(bytes, view, start, at), start, end: at + INDEX_BYTES };
  }
  return null;
}

function ascends(view: DataView, at: number): boolean {
  let before = 0;
  for (let i = 1; i < TOKENS; i++) {
    const offset = view.getUint16(at + 2 * i, true);
    if (offset < before + 2 || offset > before + MAX_TOKEN) return false;
    before = offset;
  }
  return true;
}

/** Where the strings begin whose offsets the index at `index` holds, or -1. They end before it, padding excepted. */
function tableStart(bytes: Uint8Array, view: DataView, index: number): number {
  const last = view.getUint16(index + INDEX_BYTES - 2, true);
  const latest = (index - last - 2) & ~3;
  for (let start = latest; start >= 0 && start > latest - MAX_TOKEN; start -= 4) {
    if (isTable(bytes, view, start, index)) return start;
  }
  return -1;
}

function isTable(bytes: Uint8Array, view: DataView, start: number, index: number): boolean {
  for (let i = 1; i < TOKENS; i++) {
    if (bytes[start + view.getUint16(index + 2 * i, true) - 1] !== 0) return false;
  }
  const strings = start + view.getUint16(index + INDEX_BYTES - 2, true);
  let ends = 0;
  for (let at = start; at < strings; at++) {
    const byte = bytes[at];
    if (byte === 0) ends++;
    else if (byte < 0x20 || byte === 0x7f) return false;
  }
  return ends === TOKENS - 1 && lastIsPadded(bytes, strings, index);
}

/** The last string and its NUL, then nothing but zeros up to the index. */
function lastIsPadded(bytes: Uint8Array, at: number, index: number): boolean {
  const nul = bytes.indexOf(0, at);
  if (nul <= at || nul >= index || index - nul > 16) return false;
  for (let i = nul; i < index; i++) if (bytes[i] !== 0) return false;
  return bytes.subarray(at, nul).every((byte) => byte >= 0x20 && byte !== 0x7f);
}

function tokensAt(bytes: Uint8Array, view: DataView, start: number, index: number): string[] {
  const decoder = new TextDecoder('latin1');
  return Array.from({ length: TOKENS }, (_, i) => {
    const at = start + view.getUint16(index + 2 * i, true);
    return decoder.decode(bytes.subarray(at, bytes.indexOf(0, at)));
  });
}
