import { hex64, hi32, lo32, toHex } from '../../base/index.js';
import type { CheckSpec } from './host-check.js';
import { must } from './host-check.js';
import { type HostBench, same } from './host-bench.js';

const PAGE = 4096n;
const UNTOUCHED = 0xa5;

const noEdge = ({ facts }: HostBench): string | null =>
  facts.edge === undefined ? 'facts.edge is not given: no absent page behind one that is there' : null;

const noUser = ({ facts }: HostBench): string | null =>
  facts.userEnd === undefined ? 'facts.userEnd is not given: no user mode, or one set of addresses for both' : null;

/** The page boundary inside the scratch memory. */
function boundary({ facts }: HostBench): bigint {
  return (facts.scratch.address / PAGE + 1n) * PAGE;
}

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 37 + seed * 101 + 13) & 0xff);
}

function requireUntouched(bytes: Uint8Array, what: string): void {
  const at = bytes.findIndex((byte) => byte !== UNTOUCHED);
  must(at < 0, () => `${what} left byte ${at} of the destination changed`);
}

/** Lengths around those that hosts treat apart, each at each distance from a page boundary. */
const LENGTHS = [1, 2, 3, 4, 7, 8, 9, 15, 16, 31, 32, 33, 63, 64, 255, 1000, 4096];

export const memoryChecks: readonly CheckSpec[] = [
  {
    name: 'memory: writes read back, across pages too',
    contract: 'HostMemory.readKernel, writeKernel',
    remedy: 'translate each page of a range on its own; its pages need not be neighbours in physical memory',
    run(bench) {
      const middle = boundary(bench);
      for (const [seed, length] of LENGTHS.entries()) {
        for (const back of [0, 1, length >> 1, length]) {
          const address = middle - BigInt(back);
          if (address < bench.facts.scratch.address) continue;
          bench.restoring(address, length, () => readsBack(bench, address, pattern(length, seed)));
        }
      }
    },
  },
  {
    name: 'memory: a read fills what was asked for and nothing around it',
    contract: 'HostMemory.readKernel (offset, length)',
    remedy: 'write dst[offset] to dst[offset + length - 1] and no other byte',
    needs: ['memory: writes read back, across pages too'],
    run(bench) {
      const { address } = bench.facts.scratch;
      bench.restoring(address, 64, () => {
        bench.write(address, pattern(64, 1));
        for (const length of [1, 5, 8, 40]) {
          const { bytes } = bench.read(address, length, 16);
          requireUntouched(bytes.subarray(0, 16), `a read of ${length} bytes to offset 16`);
          requireUntouched(bytes.subarray(16 + length), `a read of ${length} bytes to offset 16`);
          const found = bytes.subarray(16, 16 + length);
          must(same(found, pattern(length, 1)), () => `a read of ${length} bytes to offset 16 gave ${toHex(found)}`);
        }
      });
    },
  },
  {
    name: 'memory: a write takes its bytes from the offset given',
    contract: 'HostMemory.writeKernel (offset, length)',
    remedy: 'write src[offset] to src[offset + length - 1] and no other byte',
    needs: ['memory: writes read back, across pages too'],
    run(bench) {
      const { memory } = bench.host;
      const { address } = bench.facts.scratch;
      bench.restoring(address, 64, () => {
        bench.write(address, new Uint8Array(64).fill(UNTOUCHED));
        must(
          memory.writeKernel(lo32(address), hi32(address), pattern(48, 2), 16, 8),
          'a write of 8 of 48 bytes faults',
        );
        const found = bench.bytes(address, 64);
        must(
          same(found.subarray(0, 8), pattern(48, 2).subarray(16, 24)),
          () => `a write of bytes 16 to 23 left ${toHex(found.subarray(0, 8))}`,
        );
        requireUntouched(found.subarray(8), 'a write of 8 bytes');
      });
    },
  },
  {
    name: 'memory: what is not mapped is a fault',
    contract: 'HostMemory.readKernel, writeKernel: false is a fault',
    remedy: 'answer false where the page walk ends; never zeroes, never an exception',
    run(bench) {
      const { unmapped } = bench.facts;
      for (const length of [1, 8, 100, 5000]) {
        must(!bench.read(unmapped, length).ok, `reading ${length} bytes at ${hex64(unmapped)} succeeds`);
        must(!bench.write(unmapped, new Uint8Array(length)), `writing ${length} bytes at ${hex64(unmapped)} succeeds`);
      }
    },
  },
  {
    name: 'memory: a faulting read leaves the destination untouched',
    contract: 'HostMemory: reads are all or nothing',
    remedy: 'translate all pages before the first byte is copied',
    needs: ['memory: what is not mapped is a fault'],
    run(bench) {
      const { unmapped, edge } = bench.facts;
      requireUntouched(bench.read(unmapped, 64).bytes, 'a read at an unmapped address');
      if (edge === undefined) return;
      for (const before of [1, 8, 100, 4096]) {
        const { ok, bytes } = bench.read(edge - BigInt(before), before + 8);
        must(!ok, `a read that ends 8 bytes into the absent page at ${hex64(edge)} succeeds`);
        requireUntouched(bytes, `a read with ${before} bytes before an absent page`);
      }
    },
  },
  {
    name: 'memory: up to the last byte before an absent page',
    contract: 'HostMemory.readKernel',
    remedy: 'look at the pages that hold bytes of the range, not at the one behind it',
    skip: noEdge,
    run(bench) {
      const edge = bench.facts.edge as bigint;
      for (const length of [1, 8, 33]) {
        must(bench.read(edge - BigInt(length), length).ok, `the last ${length} bytes before an absent page fault`);
      }
    },
  },
  {
    name: 'memory: a faulting write changes nothing',
    contract: 'HostMemory: writes are all or nothing',
    remedy: 'translate all pages, for writing, before the first byte is copied',
    needs: ['memory: what is not mapped is a fault', 'memory: up to the last byte before an absent page'],
    skip: noEdge,
    run(bench) {
      const edge = bench.facts.edge as bigint;
      for (const before of [1, 8, 100]) {
        const start = edge - BigInt(before);
        bench.restoring(start, before, () => {
          const was = bench.bytes(start, before);
          const flipped = Uint8Array.from({ length: before + 8 }, (_, i) => (was[i] ?? 0) ^ 0xff);
          must(!bench.write(start, flipped), `a write that ends in the absent page at ${hex64(edge)} succeeds`);
          const found = bench.bytes(start, before);
          must(same(found, was), `a faulting write changed bytes of the ${before} before the absent page`);
        });
      }
    },
  },
  {
    name: 'memory: length 0 succeeds and touches nothing',
    contract: 'HostMemory: a length of 0 is no access',
    remedy: 'answer true before any translation if length is 0',
    run(bench) {
      const { scratch, unmapped } = bench.facts;
      for (const address of [scratch.address, unmapped]) {
        const { ok, bytes } = bench.read(address, 0, 8);
        must(ok, `reading 0 bytes at ${hex64(address)} is a fault`);
        requireUntouched(bytes, 'a read of 0 bytes');
        must(bench.write(address, new Uint8Array(0)), `writing 0 bytes at ${hex64(address)} is a fault`);
      }
    },
  },
  {
    name: 'memory: ranges do not wrap at the end of the address space',
    contract: 'HostMemory.readKernel',
    needs: ['memory: a faulting read leaves the destination untouched'],
    remedy: 'a range whose end exceeds the largest address is a fault; keep carries between the two words',
    run(bench) {
      const end = bench.host.arch.pointerSize === 8 ? 1n << 64n : 1n << 32n;
      for (const length of [16, 4096, 8192]) {
        const { ok, bytes } = bench.read(end - 8n, length);
        must(!ok, `reading ${length} bytes at ${hex64(end - 8n)} succeeds`);
        requireUntouched(bytes, 'a read past the end of the address space');
      }
    },
  },
  {
    name: 'memory: kernel and user accessors keep to their half',
    contract: 'HostMemory.readUser, readKernel',
    needs: ['memory: what is not mapped is a fault'],
    remedy: 'refuse user addresses in readKernel and kernel addresses in readUser, as Linux does',
    skip: noUser,
    run(bench) {
      const { scratch } = bench.facts;
      const userEnd = bench.facts.userEnd as bigint;
      must(!bench.read(scratch.address, 8, 0, 'readUser').ok, 'readUser reads kernel memory');
      must(
        !bench.write(scratch.address, bench.bytes(scratch.address, 8), 'writeUser'),
        'writeUser writes kernel memory',
      );
      must(!bench.read(userEnd - PAGE, 8, 0, 'readKernel').ok, 'readKernel takes a user address');
    },
  },
  {
    name: 'memory: isUser is exact at the boundary',
    contract: 'HostMemory.isUser',
    remedy: 'compare with the end of user addresses in both words, unsigned',
    skip: noUser,
    run(bench) {
      const { scratch } = bench.facts;
      const userEnd = bench.facts.userEnd as bigint;
      const isUser = (address: bigint): boolean => bench.host.memory.isUser(lo32(address), hi32(address));
      for (const address of [0n, 0x1000n, userEnd - 1n]) {
        must(isUser(address), `isUser(${hex64(address)}) is false`);
      }
      for (const address of [userEnd, userEnd + PAGE, scratch.address, bench.function.address]) {
        must(!isUser(address), `isUser(${hex64(address)}) is true`);
      }
    },
  },
];

function readsBack(bench: HostBench, address: bigint, bytes: Uint8Array): void {
  must(bench.write(address, bytes), () => `writing ${bytes.length} bytes at ${hex64(address)} faults`);
  const found = bench.bytes(address, bytes.length);
  const at = found.findIndex((byte, i) => byte !== bytes[i]);
  must(
    at < 0,
    () => `byte ${at} of ${bytes.length} written at ${hex64(address)} reads back as ${found[at]}, not ${bytes[at]}`,
  );
}
