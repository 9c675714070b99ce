/** What kstrtoul() and its kin answer instead of a number. */
export type NumberError = 'EINVAL' | 'ERANGE';

const DIGITS: Readonly<Record<8 | 10 | 16, RegExp>> = { 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^[0-9a-fA-F]+$/ };

/**
 * kstrtoul(): an unsigned number of `bits`, with one `+` before it at most. Base 0 tells by prefix: `0x` hexadecimal, `0`
 * octal, else decimal.
 */
export function parseUnsigned(text: string, base: 0 | 10, bits = 64): bigint | NumberError {
  return magnitude(text.startsWith('+') ? text.slice(1) : text, base, (1n << BigInt(bits)) - 1n);
}

/** kstrtol(): a signed number of 64 bits. */
export function parseSigned(text: string): bigint | NumberError {
  if (!text.startsWith('-')) {
    return magnitude(text.startsWith('+') ? text.slice(1) : text, 0, (1n << 63n) - 1n);
  }
  const value = magnitude(text.slice(1), 0, 1n << 63n);
  return typeof value === 'bigint' ? -value : value;
}

/**
 * simple_strtoul(): the number that `text` begins with (0 where it begins with none) and what is behind it. Base 0 as
 * above.
 */
export function leadingNumber(text: string): { readonly value: bigint; readonly rest: string } {
  const digits = /^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text)?.[0] ?? '';
  const value = digits === '' ? 0n : magnitude(digits, 0, (1n << 64n) - 1n);
  return { value: typeof value === 'bigint' ? value : 0n, rest: text.slice(digits.length) };
}

export function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function magnitude(text: string, base: 0 | 10, most: bigint): bigint | NumberError {
  const radix = base === 10 ? 10 : radixOf(text);
  const digits = radix === 16 ? text.slice(2) : text;
  if (!DIGITS[radix].test(digits)) return 'EINVAL';
  const value = BigInt(radix === 8 ? `0o${digits}` : radix === 16 ? `0x${digits}` : digits);
  return value > most ? 'ERANGE' : value;
}

function radixOf(text: string): 8 | 10 | 16 {
  if (/^0[xX][0-9a-fA-F]/.test(text)) return 16;
  return text.startsWith('0') ? 8 : 10;
}
