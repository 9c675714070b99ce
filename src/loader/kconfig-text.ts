import { BpfError } from '../base/index.js';

/** A value as a .config has it: a letter, text without its quotes, or a number. */
export type KconfigEntry =
  | { readonly kind: 'letter'; readonly value: 'y' | 'n' | 'm' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly value: bigint };

/** Bytes of text that are read; the configuration of a kernel takes about 300 KB. */
const MAX_TEXT = 1 << 24;
const PREFIX = 'CONFIG_';

/**
 * The wanted values of a kernel's configuration, `.config` or /proc/config.gz unpacked, by name: read as libbpf reads it. Lines
 * that do not begin with CONFIG_ are comments; of several values of one name the first counts. Malformed lines are EINVAL
 * `BpfError`s with their offset.
 */
export function parseKconfig(text: string, wanted: (name: string) => boolean): Map<string, KconfigEntry> {
  if (text.length > MAX_TEXT) throw malformed('is too long', 0, text.length);
  const entries = new Map<string, KconfigEntry>();
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (text.startsWith(PREFIX, start)) readLine(text.slice(start, end), start, wanted, entries);
    start = end + 1;
  }
  return entries;
}

function readLine(
  line: string,
  offset: number,
  wanted: (name: string) => boolean,
  entries: Map<string, KconfigEntry>,
): void {
  const separator = line.indexOf('=');
  if (separator < 0) throw malformed('has a line without =', offset, shortened(line));
  const name = line.slice(0, separator);
  const value = line.slice(separator + 1);
  if (value === '') throw malformed('has a line without a value', offset, shortened(line));
  if (wanted(name) && !entries.has(name)) entries.set(name, readValue(value, offset + separator + 1));
}

function readValue(value: string, offset: number): KconfigEntry {
  const letter = value[0];
  // The first letter decides, as in libbpf.
  if (letter === 'y' || letter === 'n' || letter === 'm') return { kind: 'letter', value: letter };
  if (letter === '"') {
    if (value.length < 2 || !value.endsWith('"')) throw malformed('has text without an end', offset, shortened(value));
    return { kind: 'text', value: value.slice(1, -1) };
  }
  return { kind: 'number', value: readNumber(value, offset) };
}

/** As strtoull(value, &end, 0): spaces, a sign, 0x or 0 before the digits. */
function readNumber(value: string, offset: number): bigint {
  const match = /^[ \t\v\f\r]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.exec(value);
  if (match === null || value.length > 64) throw malformed('has what is no number', offset, shortened(value));
  const digits = /^0[0-7]+$/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
  const magnitude = BigInt(digits);
  if (magnitude >> 64n !== 0n) throw malformed('has a number of more than 64 bits', offset, shortened(value));
  return BigInt.asUintN(64, match[1] === '-' ? -magnitude : magnitude);
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function malformed(what: string, offset: number, value: string | number): BpfError {
  return new BpfError('EINVAL', `kernel configuration ${what}`, {
    section: 'kconfig',
    offset,
    value,
    remedy: 'give the text of a .config: lines like CONFIG_HZ=250',
  });
}
