import { describe, expect, it } from 'vitest';
import { IdentityTables, MappedRam } from '../../../src/host/guest/index.js';
import type { ExecRoom } from '../../../src/host/qemu/exec-room.js';
import { QemuMemory } from '../../../src/host/qemu/qemu-memory.js';
import { freeRoom, linkReturnStub, ReturnStub } from '../../../src/host/qemu/traps/return-stub.js';
import { returnStubCode } from '../../../src/host/qemu/traps/trap-stub-code.js';
import { TrapStub } from '../../../src/host/qemu/traps/trap-stub.js';

const PAGE = 4096;
const room: ExecRoom = { address: 0x4000n, size: 8 * PAGE };

/** A guest whose addresses are physical ones, and what a host that went left at `at` in it. */
function guestWith(...left: readonly { readonly at: bigint; readonly bytes: Uint8Array }[]): QemuMemory {
  const ram = new MappedRam([{ start: 0, bytes: new Uint8Array(0x10_0000) }]);
  for (const { at, bytes } of left) ram.write(Number(at), bytes, 0, bytes.length);
  return new QemuMemory(ram, new IdentityTables(), { kernel: () => 0, user: () => 0 });
}

function calls(count: number): { frame: bigint; address: bigint }[] {
  return Array.from({ length: count }, (_, i) => ({
    frame: 0xffff_c900_0000_1000n + BigInt(i * 16),
    address: 0xffff_ffff_8100_0000n + BigInt(i),
  }));
}

describe.each(Object.entries(returnStubCode))('what is left to calls under way: %s', (_arch, code) => {
  it('is code where the trampoline was, which fits before its table', () => {
    expect(code.length).toBe(2 * ReturnStub.table);
    const stub = linkReturnStub(code, calls(1), room) as Uint8Array;
    const at = TrapStub.trampoline;
    expect(Buffer.from(stub.subarray(at, at + ReturnStub.table)).toString('hex')).toBe(code);
  });

  it('is a table of frames and return addresses, with a zero at its end', () => {
    const stub = linkReturnStub(code, calls(3), room) as Uint8Array;
    const words = new BigUint64Array(stub.slice(TrapStub.trampoline + ReturnStub.table).buffer);
    expect([...words]).toEqual([...calls(3).flatMap(({ frame, address }) => [frame, address]), 0n, 0n]);
  });

  it('is refused where the room cannot hold it', () => {
    const most = (room.size - TrapStub.trampoline - ReturnStub.table) / ReturnStub.pair - 1;
    expect(linkReturnStub(code, calls(most), room)).toHaveLength(room.size);
    expect(linkReturnStub(code, calls(most + 1), room)).toBeNull();
  });
});

describe('what is free of a room', () => {
  const code = returnStubCode.x86_64;

  it('is all of it where no host has left anything', () => {
    expect(freeRoom(guestWith(), room)).toEqual(room);
  });

  it.each([
    ['one page', 1, 1],
    ['as many pages as the table takes', 300, 2],
  ])('begins behind what was left: %s', (_what, count, pages) => {
    const left = { at: room.address, bytes: linkReturnStub(code, calls(count), room) as Uint8Array };
    expect(freeRoom(guestWith(left), room)).toEqual({
      address: room.address + BigInt(pages * PAGE),
      size: room.size - pages * PAGE,
    });
  });

  it('begins behind all of what one host after the other left', () => {
    const bytes = linkReturnStub(code, calls(1), room) as Uint8Array;
    const left = [0, 1, 2].map((page) => ({ at: room.address + BigInt(page * PAGE), bytes }));
    expect(freeRoom(guestWith(...left), room)).toEqual({
      address: room.address + BigInt(3 * PAGE),
      size: room.size - 3 * PAGE,
    });
  });

  it('is nothing where they left nothing', () => {
    const bytes = linkReturnStub(code, calls(1), room) as Uint8Array;
    const left = Array.from({ length: 8 }, (_, page) => ({ at: room.address + BigInt(page * PAGE), bytes }));
    expect(freeRoom(guestWith(...left), room).size).toBe(0);
  });

  it.each([
    ['no whole page', 1n],
    ['nothing', 0n],
    ['more than there is', BigInt(room.size + PAGE)],
  ])('does not believe a mark that says %s', (_what, left) => {
    const bytes = linkReturnStub(code, calls(1), room) as Uint8Array;
    new DataView(bytes.buffer).setBigUint64(8, left, true);
    expect(freeRoom(guestWith({ at: room.address, bytes }), room)).toEqual(room);
  });
});
