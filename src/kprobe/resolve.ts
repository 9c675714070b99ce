import type { ProbeContext } from '../arch/index.js';
import { BpfError, hex64 } from '../base/index.js';
import { type Host, type KernelSymbol, whyNoFunction } from '../host/index.js';
import type { KprobePlace } from './kprobe.js';
import { checkBoundary } from './boundary.js';
import type { TextReader } from './text-reader.js';

/** A place that may be probed. */
export interface ResolvedPlace {
  readonly addr: bigint;
  readonly symbol: KernelSymbol;
  /** From the start of `symbol`. */
  readonly offset: number;
}

/**
 * Turns symbol or address plus offset into an address, with the errors of register_kprobe() in their order:
 * EINVAL for both or neither, ENOENT for an unknown symbol or an address outside of all symbols, EINVAL for
 * what is not text or blacklisted. As in Linux an offset past the end of the function counts on into the next.
 */
export function resolvePlace(host: Host, place: KprobePlace): ResolvedPlace {
  const addr = startOf(host, place) + BigInt(place.offset ?? 0);
  const symbol = host.symbols.at(addr);
  if (symbol === undefined) {
    throw new BpfError('ENOENT', `placing a probe at ${describe(place)}`, {
      value: hex64(addr),
      remedy: 'no symbol covers this address',
    });
  }
  if (!/^[tTwW]$/.test(symbol.type)) {
    throw new BpfError('EINVAL', `placing a probe at ${describe(place)}`, {
      value: symbol.name,
      remedy: `the address is data (symbol type ${symbol.type}): probe a function`,
    });
  }
  const reason = host.text?.blacklisted(addr) ?? null;
  if (reason !== null) {
    throw new BpfError('EINVAL', `placing a probe at ${describe(place)}`, { remedy: `it is blacklisted: ${reason}` });
  }
  return { addr, symbol, offset: Number(addr - symbol.address) };
}

/** An instruction and what surrounds it. */
export interface ProbedInsn {
  /** From its first byte on, as many as the longest instruction has; fewer at the end of the function. */
  readonly bytes: Uint8Array;
  readonly context: ProbeContext;
}

/** Reads the instruction at a resolved place, as it is without probes, once it is known to be one. */
export function readProbedInsn(host: Host, reader: TextReader, place: ResolvedPlace): ProbedInsn {
  const { symbol, addr, offset } = place;
  const { probing } = host.arch;
  const size = Number(symbol.size) - offset;
  const wanted = offset + Math.min(size, probing.maxInsnLength);
  const bytes = reader.read(symbol.address, wanted);
  if (bytes === null) {
    throw new BpfError('EINVAL', `placing a probe at ${host.symbols.format(addr)}`, {
      remedy: 'its text cannot be read',
    });
  }
  checkBoundary(probing, bytes, offset, symbol.name);
  const before = bytes.subarray(Math.max(0, offset - probing.contextSize), offset);
  const { text } = host;
  return {
    bytes: bytes.subarray(offset),
    context: {
      before,
      restoresStackPointer: text?.restoresStackPointer === true,
      hasFixup: () => text?.hasFixup?.(addr) === true,
    },
  };
}

function startOf(host: Host, place: KprobePlace): bigint {
  const { symbolName, addr, offset } = place;
  if ((symbolName === undefined) === (addr === undefined)) {
    throw new BpfError('EINVAL', 'placing a probe', {
      remedy: 'give a symbol or an address, exactly one of them',
    });
  }
  if (offset !== undefined && !Number.isSafeInteger(offset)) {
    throw new RangeError(`the offset of a probe must be an integer, not ${offset}`);
  }
  if (addr !== undefined) return addr;
  const symbol = host.symbols.lookup(symbolName as string);
  if (symbol !== undefined) return symbol.address;
  throw new BpfError('ENOENT', `placing a probe at ${symbolName as string}`, {
    value: symbolName as string,
    remedy: whyNoFunction(host, symbolName as string),
  });
}

function describe(place: KprobePlace): string {
  const start = place.symbolName ?? hex64(place.addr ?? 0n);
  const { offset = 0 } = place;
  if (offset === 0) return start;
  return `${start}${offset < 0 ? '-' : '+'}0x${Math.abs(offset).toString(16)}`;
}
