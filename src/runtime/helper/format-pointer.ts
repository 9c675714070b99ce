import { toHex } from '../../base/index.js';
import type { KernelSymbol, SymbolTable } from '../../host/index.js';

const encoder = new TextEncoder();

/** `%ps` and `%pS`: the symbol, with offset and size where `withOffset`; the bare address if there is none. */
export function formatAddress(symbols: SymbolTable, address: bigint, withOffset: boolean): Uint8Array {
  return describe(symbols.at(address), address, withOffset);
}

/** `%pB`: as `%pS`, but of the symbol that holds the call which will return there. */
export function formatReturnAddress(symbols: SymbolTable, address: bigint): Uint8Array {
  return describe(symbols.at(address - 1n), address, true);
}

function describe(symbol: KernelSymbol | undefined, address: bigint, withOffset: boolean): Uint8Array {
  if (symbol === undefined) return encoder.encode(`0x${address.toString(16)}`);
  const module = symbol.module === undefined ? '' : ` [${symbol.module}]`;
  const offset = `+0x${(address - symbol.address).toString(16)}/0x${symbol.size.toString(16)}`;
  return encoder.encode(`${symbol.name}${withOffset ? offset : ''}${module}`);
}

/** `%pI4` and its kin: `i4` with leading zeros, `I6` with colons, `i6` without. */
export function formatIp(bytes: Uint8Array, letter: string): Uint8Array {
  if (letter === 'I4') return encoder.encode(bytes.join('.'));
  if (letter === 'i4') return encoder.encode(Array.from(bytes, (byte) => String(byte).padStart(3, '0')).join('.'));
  const hex = toHex(bytes);
  return encoder.encode(letter === 'i6' ? hex : hex.replaceAll(/.{4}(?=.)/g, '$&:'));
}
