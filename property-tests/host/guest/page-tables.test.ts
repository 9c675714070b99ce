import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hi32, lo32 } from '../../../src/base/index.js';
import { GuestMemory, NO_PAGE, PageAccess } from '../../../src/host/guest/index.js';
import { type Mapping, PagedMachine, PAGINGS, type Paging } from '../../../test/support/paged-machine.js';

const RUNS = Number(process.env['KSCOPE_PROPERTY_RUNS'] ?? 150);
const RAM_BYTES = 4 << 20;
/** Pages of data begin behind the tables. */
const DATA_AT = 2 << 20;

/** Pages whose frames may lie beyond RAM: what a walk answers needs no memory there. */
function mapping(paging: Paging): fc.Arbitrary<Mapping> {
  return fc
    .record({
      // Few different indices per level, so that pages share tables and lie side by side.
      indices: fc.array(fc.constantFrom(0n, 1n, 2n, 511n), { minLength: 5, maxLength: 5 }),
      frame: fc.bigInt({ min: 0n, max: (1n << 20n) - 1n }),
      shift: fc.constantFrom(...paging.pageShifts),
      write: fc.boolean(),
      user: fc.boolean(),
    })
    .map(({ indices, frame, shift, write, user }) => {
      const offset = paging.levels.reduce((sum, [at], i) => sum | (indices[i] << BigInt(at)), 0n);
      const inHalf = offset & ((1n << BigInt(paging.halfBits)) - 1n) & -(1n << BigInt(shift));
      const virtual = BigInt.asUintN(64, (user ? paging.userBase : paging.kernelBase) + inHalf);
      const limit = paging.entryBytes === 4 && shift === 12 ? 20n : 28n;
      return { virtual, physical: BigInt.asUintN(Number(limit) + 12, frame << BigInt(shift)), shift, write, user };
    });
}

const access = fc.constantFrom(PageAccess.read, PageAccess.write, PageAccess.user, PageAccess.user | PageAccess.write);

describe.each(PAGINGS)('tables of $name', (paging) => {
  it('lead where the mappings say, for the accesses they allow, and nowhere else', () => {
    fc.assert(
      fc.property(
        fc.array(mapping(paging), { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(fc.nat(), fc.bigInt({ min: -(1n << 14n), max: 1n << 31n }), access), { maxLength: 30 }),
        (wanted, asked) => {
          const machine = new PagedMachine(paging, RAM_BYTES);
          const mapped = wanted.filter((each) => machine.map(each));
          for (const [which, delta, how] of asked) {
            const address = BigInt.asUintN(addressBits(paging), mapped[which % mapped.length].virtual + delta);
            const answer = machine.tables.translate(machine.rootOf(address), lo32(address), hi32(address), how);
            expect(BigInt(answer), `0x${address.toString(16)} for access ${how}`).toBe(model(mapped, address, how));
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('tell the halves apart', () => {
    const { tables } = new PagedMachine(paging, RAM_BYTES);
    for (const inside of [0n, 0x1234n, (1n << BigInt(paging.halfBits)) - 1n]) {
      const user = paging.userBase + inside;
      const kernel = paging.kernelBase + inside;
      expect(tables.isUser(lo32(user), hi32(user)), `user 0x${user.toString(16)}`).toBe(true);
      expect(tables.isUser(lo32(kernel), hi32(kernel)), `kernel 0x${kernel.toString(16)}`).toBe(false);
    }
  });

  it('carry bytes across pages, all or nothing', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 10 }),
        fc.array(
          fc.record({
            at: fc.nat({ max: 9 << 12 }),
            length: fc.oneof(fc.nat({ max: 16 }), fc.nat({ max: 9000 })),
            user: fc.boolean(),
            write: fc.boolean(),
            fill: fc.integer({ min: 1, max: 255 }),
          }),
          { maxLength: 12 },
        ),
        (holes, operations) => carriesBytes(paging, new Set(holes), operations),
      ),
      { numRuns: Math.ceil(RUNS / 3) },
    );
  });

  it('answer something for any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
        fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), access), { maxLength: 20 }),
        (noise, asked) => {
          const machine = new PagedMachine(paging, RAM_BYTES);
          for (let at = 0; at < RAM_BYTES; at += noise.length) machine.bytes.set(noise, at);
          for (const [address, how] of asked) {
            const answer = machine.tables.translate(machine.rootOf(address), lo32(address), hi32(address), how);
            expect(answer === NO_PAGE || (Number.isSafeInteger(answer) && answer >= 0)).toBe(true);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

/** Before the first address comes the last one that the machine has. */
function addressBits({ kernelBase }: Paging): number {
  return kernelBase < 1n << 32n ? 32 : 64;
}

function model(mapped: readonly Mapping[], address: bigint, how: number): bigint {
  const page = mapped.find(({ virtual, shift }) => address >> BigInt(shift) === virtual >> BigInt(shift));
  if (page === undefined) return -1n;
  if ((how & PageAccess.write) !== 0 && !page.write) return -1n;
  if ((how & PageAccess.user) !== 0 && !page.user) return -1n;
  return page.physical + (address - page.virtual);
}

interface Operation {
  readonly at: number;
  readonly length: number;
  readonly user: boolean;
  readonly write: boolean;
  readonly fill: number;
}

/** Ten pages of base size in each half, scattered over RAM backwards; some are holes. The model is two flat arrays. */
function carriesBytes(paging: Paging, holes: ReadonlySet<number>, operations: readonly Operation[]): void {
  const machine = new PagedMachine(paging, RAM_BYTES);
  const [base] = paging.levels[0];
  const pages = 10;
  const halves = [paging.kernelBase, paging.userBase].map((start, half) => {
    for (let page = 0; page < pages; page++) {
      const frame = DATA_AT + ((half * pages + (pages - 1 - page)) << base);
      const virtual = start + BigInt(page << base);
      const there = !holes.has(page);
      if (there) machine.map({ virtual, physical: BigInt(frame), shift: base, write: true, user: half === 1 });
    }
    return { start, model: new Uint8Array(pages << base) };
  });
  const memory = new GuestMemory(machine.ram, machine.tables, {
    kernel: () => machine.kernelRoot,
    user: () => machine.userRoot,
  });
  for (const { at, length, user, write, fill } of operations) {
    const { start, model: expected } = halves[user ? 1 : 0];
    const address = start + BigInt(at);
    const touched = length === 0 ? 0 : ((at + length - 1) >> base) - (at >> base) + 1;
    const pagesTouched = Array.from({ length: touched }, (_, i) => (at >> base) + i);
    const present = pagesTouched.every((page) => page < pages && !holes.has(page));
    const data = new Uint8Array(length + 2).fill(write ? fill : 0xee);
    const name = `${write ? 'write' : 'read'}${user ? 'User' : 'Kernel'}` as const;
    expect(memory[name](lo32(address), hi32(address), data, 1, length), `${name} ${length} at ${at}`).toBe(present);
    if (write && present) expected.fill(fill, at, at + length);
    if (!write) {
      const wanted = new Uint8Array(length + 2).fill(0xee);
      if (present) wanted.set(expected.subarray(at, at + length), 1);
      expect(data).toEqual(wanted);
    }
    const other = user ? 'readKernel' : 'readUser';
    expect(memory[other](lo32(address), hi32(address), new Uint8Array(8), 0, 1), 'the other half').toBe(false);
  }
}
