import { BpfError } from '../../base/index.js';
import type { SymbolTable } from '../index.js';
import type { GuestMemory } from '../guest/index.js';
import type { PhysicalRoom } from './exec-room.js';
import { readWord } from './qemu-frame.js';

/** What kernels print: arm64, riscv64 and newer ones in general; x86 before 6.9. */
const RANGE = /crashkernel reserved: 0x([0-9a-f]+) - 0x([0-9a-f]+)/;
const PLACE = /Reserving (\d+)MB of memory at (\d+)MB for crashkernel/;

/**
 * The physical memory that a Linux keeps for a kernel to run after a crash (`crashkernel=16M` on its command line), which
 * it never touches. Its own variable tells, or what it printed at boot. ENOMEM where it keeps none.
 */
export function reservedRoom(symbols: SymbolTable, memory: GuestMemory, console: string): PhysicalRoom {
  const resource = symbols.lookup('crashk_res')?.address;
  const start = resource === undefined ? null : readWord(memory, resource);
  const end = resource === undefined ? null : readWord(memory, resource + 8n);
  if (start !== null && end !== null && end > start) {
    return { address: Number(start), size: Number(end - start) + 1 };
  }
  const range = RANGE.exec(console);
  if (range !== null) {
    const [from, to] = [Number.parseInt(range[1], 16), Number.parseInt(range[2], 16)];
    return { address: from, size: to - from };
  }
  const place = PLACE.exec(console);
  if (place !== null) return { address: Number(place[2]) * 2 ** 20, size: Number(place[1]) * 2 ** 20 };
  throw new BpfError('ENOMEM', 'making room for probes in the guest', {
    remedy: 'it keeps no memory free: boot it with crashkernel=16M, and not quietly if it has no symbol crashk_res',
  });
}
