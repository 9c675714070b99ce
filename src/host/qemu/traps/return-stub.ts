import { hi32, lo32, roundUp } from '../../../base/index.js';
import type { FollowedReturn } from '../../index.js';
import type { ExecRoom } from '../exec-room.js';
import type { QemuMemory } from '../qemu-memory.js';
import { TrapStub } from './trap-stub.js';

/** Where the parts of a return stub lie, in bytes from its start, which is at `TrapStub.trampoline`; as in stubs/returns-*.S. */
export const ReturnStub = {
  /** Pairs of 64-bit words: what identifies the frame of a call, and where it returns to. A zero ends them. */
  table: 0x80,
  pair: 16,
} as const;

/** Where the stub of a room was that is left to calls under way: this word, then how many bytes are left. */
const LEFT = 0x6e72_7574_6572_736bn;
const PAGE = 4096;

/**
 * What becomes of the beginning of a room whose stub is no longer entered, so that the calls that were followed return by
 * themselves: a mark, and at the trampoline code that finds each call's return address by its frame. Null: it is too small.
 */
export function linkReturnStub(code: string, calls: readonly FollowedReturn[], room: ExecRoom): Uint8Array | null {
  const table = TrapStub.trampoline + ReturnStub.table;
  const bytes = new Uint8Array(table + ReturnStub.pair * (calls.length + 1));
  const left = roundUp(bytes.length, PAGE);
  if (left > room.size) return null;
  const words = new DataView(bytes.buffer);
  words.setBigUint64(0, LEFT, true);
  words.setBigUint64(8, BigInt(left), true);
  for (let i = 0; i < ReturnStub.table; i++) {
    bytes[TrapStub.trampoline + i] = Number.parseInt(code.slice(2 * i, 2 * i + 2), 16);
  }
  calls.forEach(({ frame, address }, i) => {
    words.setBigUint64(table + i * ReturnStub.pair, frame, true);
    words.setBigUint64(table + i * ReturnStub.pair + 8, address, true);
  });
  return bytes;
}

/** What is free of a room: all but what hosts that are gone have left to calls under way. */
export function freeRoom(memory: QemuMemory, { address, size }: ExecRoom): ExecRoom {
  const bytes = new Uint8Array(16);
  const words = new DataView(bytes.buffer);
  let at = address;
  for (let rest = size; rest >= bytes.length;) {
    const found = memory.readKernel(lo32(at), hi32(at), bytes, 0, bytes.length);
    if (!found || words.getBigUint64(0, true) !== LEFT) return { address: at, size: rest };
    const left = Number(words.getBigUint64(8, true));
    if (left <= 0 || left % PAGE !== 0 || left > rest) return { address: at, size: rest };
    at += BigInt(left);
    rest -= left;
  }
  return { address: at, size: 0 };
}
