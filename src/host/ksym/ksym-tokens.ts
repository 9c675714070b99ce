import { BpfError, type ByteReader, utf8Text } from '../../base/index.js';

const SECTION = 'ksym blob';
/** Stands before and behind a token number. No UTF-8 text has it. */
export const TOKEN_MARKER = 0xff;
/** Most bytes of an expanded name: KSYM_NAME_LEN of the ksym crate. */
export const KSYM_NAME_LEN = 1024;
/** Token numbers that a payload may name: 0 .. 511. */
export const KSYM_TOKENS_MAX = 512;

/** Beginnings that names share. */
export interface KsymTokens {
  readonly texts: readonly Uint8Array[];
}

/** The token table at `at` of a blob: its bytes, and behind them where each token begins. */
export function readKsymTokens(reader: ByteReader, at: number): KsymTokens {
  const length = reader.size64(at, 'the length of the tokens');
  const bytes = reader.slice(at + 8, length);
  const indexAt = (at + 8 + length + 7) & ~7;
  const count = reader.size64(indexAt, 'the number of tokens');
  if (count > KSYM_TOKENS_MAX) throw damaged('more tokens than payloads can name', indexAt, count);
  const starts = Array.from({ length: count }, (_, i) => reader.u32(indexAt + 8 + 4 * i));
  const texts = starts.map((start, i) => {
    const end = starts[i + 1] ?? length;
    if (start > end || end > length) throw damaged(`token ${i} is not within the tokens`, indexAt + 8 + 4 * i, start);
    return bytes.subarray(start, end);
  });
  return { texts };
}

/**
 * The name that `payload` stands for. `FF n FF` and `FF high low FF` at its start are a token. Token 511 is `FF 01 FF FF`,
 * which begins like token 1; a name's own bytes cannot begin with FF, so the fourth byte tells which it is.
 */
export function expandKsymName(payload: Uint8Array, tokens: KsymTokens, at: number): string {
  if (payload[0] !== TOKEN_MARKER) return checkedName(payload, at);
  const long = payload[3] === TOKEN_MARKER && (payload[2] !== TOKEN_MARKER || payload[1] === 1);
  const short = !long && payload[2] === TOKEN_MARKER;
  const number = long ? payload[1] * 256 + payload[2] : short ? payload[1] : -1;
  const token = tokens.texts[number];
  if (token === undefined) throw damaged('a name names a token that is not there', at, number);
  const rest = payload.subarray(long ? 4 : 3);
  const name = new Uint8Array(token.length + rest.length);
  name.set(token);
  name.set(rest, token.length);
  return checkedName(name, at);
}

/** Bytes that name token `number` in a payload. 511 is never written: older readers take it for token 1. */
export function tokenReference(number: number): readonly number[] {
  return number < 256 ? [TOKEN_MARKER, number, TOKEN_MARKER] : [TOKEN_MARKER, number >> 8, number & 0xff, TOKEN_MARKER];
}

function checkedName(bytes: Uint8Array, at: number): string {
  if (bytes.length > KSYM_NAME_LEN) throw damaged(`a name of more than ${KSYM_NAME_LEN} bytes`, at, bytes.length);
  return utf8Text(bytes);
}

function damaged(what: string, offset: number, value: number): BpfError {
  return new BpfError('EINVAL', what, {
    section: SECTION,
    offset,
    value,
    remedy: 'the blob is not one that gen_ksym or writeKsymBlob made',
  });
}
