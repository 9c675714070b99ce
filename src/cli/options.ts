import { UsageError } from './usage-error.js';

/** A non-negative integer option, in decimal. */
export function integerOption(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new UsageError(`--${name} takes a non-negative integer, not "${text}"`);
  }
  return value;
}

/** The only object file a command takes. */
export function fileArgument(positionals: readonly string[]): string {
  const [file, extra] = positionals;
  if (file === undefined) throw new UsageError('which object file?');
  if (extra !== undefined) throw new UsageError(`unexpected argument "${extra}"`);
  return file;
}

/** Seconds, fractions allowed, as nanoseconds. */
export function secondsOption(name: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) throw new UsageError(`--${name} takes seconds such as 2 or 0.5, not "${text}"`);
  return BigInt(match[1]) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** Bytes from hexadecimal digits; blanks are ignored. */
export function hexBytes(what: string, text: string): Uint8Array {
  const digits = text.replaceAll(/\s+/g, '');
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) {
    throw new UsageError(`${what} is not an even number of hexadecimal digits`);
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
