import { hi32, lo32 } from '../../base/index.js';
import type { Host } from '../../host/index.js';

/** sizeof(struct error_injection_entry): u64 addr, int etype */
const ENTRY_SIZE = 16;
const MAX_ENTRIES = 65536;

/**
 * Addresses of the functions that the kernel allows to fail on purpose (ALLOW_ERROR_INJECTION), from its own list between
 * `__start_error_injection_whitelist` and `__stop_error_injection_whitelist`. Linux gives the list's memory back after boot:
 * what is no function's address any more is left out.
 */
export function errorInjectable({ symbols, memory }: Pick<Host, 'symbols' | 'memory'>): ReadonlySet<bigint> {
  const start = symbols.lookup('__start_error_injection_whitelist')?.address;
  const stop = symbols.lookup('__stop_error_injection_whitelist')?.address;
  const found = new Set<bigint>();
  if (start === undefined || stop === undefined) return found;
  const count = Math.min(Number(stop - start) / ENTRY_SIZE, MAX_ENTRIES);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    const at = start + BigInt(i * ENTRY_SIZE);
    if (!memory.readKernel(lo32(at), hi32(at), bytes, 0, 8)) break;
    const address = view.getBigUint64(0, true);
    if (symbols.at(address)?.address === address) found.add(address);
  }
  return found;
}
