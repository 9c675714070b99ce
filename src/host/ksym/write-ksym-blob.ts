import { BpfError } from '../../base/index.js';
import type { KernelSymbol } from '../symbol-table.js';
import { chooseTokens, compareBytes, type NameBytes } from './choose-tokens.js';
import { align8 } from './ksym-blob.js';
import { KSYM_NAME_LEN } from './ksym-tokens.js';

/** What goes into a blob of a symbol. */
export type KsymEntry = Pick<KernelSymbol, 'name' | 'address' | 'type'>;

export interface KsymBlobOptions {
  /** Which symbols to keep: those of text if absent, as gen_ksym does. */
  readonly keep?: (symbol: KsymEntry) => boolean;
}

/**
 * A blob for kernels that embed the ksym crate, which `parseKsymBlob` reads back. ENAMETOOLONG for a name of more than 1024
 * bytes, EINVAL for one that is empty or whose type is not one letter, E2BIG where 32-bit offsets do not reach.
 */
export function writeKsymBlob(symbols: Iterable<KsymEntry>, options: KsymBlobOptions = {}): Uint8Array {
  const keep = options.keep ?? isText;
  const kept = [...symbols].filter((symbol) => keep(symbol)).map(encode);
  const byAddress = kept.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  const tokens = chooseTokens(byAddress.map(({ bytes }) => bytes));
  const payloads = byAddress.map(({ bytes, type }) => named(type, tokens.compress(bytes)));
  const order = byAddress.map((_, i) => i).toSorted((a, b) => compareBytes(byAddress[a].bytes, byAddress[b].bytes));
  return assemble(
    byAddress.map(({ address }) => address),
    order,
    payloads,
    tokens.texts,
  );
}

interface Encoded {
  readonly address: bigint;
  readonly bytes: NameBytes;
  readonly type: number;
}

function isText({ type }: KsymEntry): boolean {
  return type === 'T' || type === 't';
}

const utf8 = new TextEncoder();

function encode({ name, address, type }: KsymEntry): Encoded {
  const bytes = utf8.encode(name);
  if (bytes.length > KSYM_NAME_LEN) {
    throw new BpfError('ENAMETOOLONG', `a symbol's name of ${bytes.length} bytes`, {
      value: `${name.slice(0, 60)}...`,
      remedy: `readers of the blob have room for ${KSYM_NAME_LEN}: shorten it or leave the symbol out`,
    });
  }
  if (bytes.length === 0 || !/^[!-~]$/.test(type)) {
    throw new BpfError('EINVAL', `a symbol of type '${type}' named '${name}'`, {
      remedy: 'give it a name, and one letter of nm for its type',
    });
  }
  return { address: BigInt.asUintN(64, address), bytes, type: type.charCodeAt(0) };
}

function named(type: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(3 + payload.length);
  bytes.set([type, payload.length & 0xff, payload.length >> 8]);
  bytes.set(payload, 3);
  return bytes;
}

function assemble(
  addresses: readonly bigint[],
  order: readonly number[],
  names: readonly Uint8Array[],
  tokens: readonly Uint8Array[],
): Uint8Array {
  const count = addresses.length;
  const orderAt = 8 + 12 * count;
  const namesAt = align8(orderAt + 4 * count);
  const tokensAt = align8(namesAt + 8 + total(names));
  const indexAt = align8(tokensAt + 8 + total(tokens));
  const size = indexAt + 8 + 4 * tokens.length;
  if (size > 0x7fff_ffff) {
    throw new BpfError('E2BIG', `a ksym blob of ${count} symbols`, { value: size, remedy: 'leave symbols out' });
  }
  const blob = new Uint8Array(size);
  const view = new DataView(blob.buffer);
  view.setBigUint64(0, BigInt(count), true);
  for (const [i, address] of addresses.entries()) view.setBigUint64(8 + 8 * i, address, true);
  for (const [i, index] of order.entries()) view.setUint32(orderAt + 4 * i, index, true);
  view.setBigUint64(namesAt, BigInt(total(names)), true);
  putAll(blob, namesAt + 8, names, (i, offset) => view.setUint32(8 + 8 * count + 4 * i, offset, true));
  view.setBigUint64(tokensAt, BigInt(total(tokens)), true);
  view.setBigUint64(indexAt, BigInt(tokens.length), true);
  putAll(blob, tokensAt + 8, tokens, (i, offset) => view.setUint32(indexAt + 8 + 4 * i, offset, true));
  return blob;
}

function putAll(
  blob: Uint8Array,
  at: number,
  parts: readonly Uint8Array[],
  note: (index: number, offset: number) => void,
): void {
  let offset = 0;
  for (const [i, part] of parts.entries()) {
    note(i, offset);
    blob.set(part, at + offset);
    offset += part.length;
  }
}

function total(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
