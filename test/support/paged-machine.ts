import {
  Arm64Tables,
  type GuestRam,
  I386Tables,
  Loongarch64Tables,
  MappedRam,
  type PageTables,
  Riscv64Tables,
  X86_64Tables,
} from '../../src/host/guest/index.js';

/** One page as a test wants it mapped. */
export interface Mapping {
  readonly virtual: bigint;
  readonly physical: bigint;
  /** log2 of the page's size; one of `pageShifts`. */
  readonly shift: number;
  readonly write: boolean;
  readonly user: boolean;
}

/** A way of paging: its walker under test, and entries put together from the architecture's manual. */
export interface Paging {
  readonly name: string;
  readonly create: (ram: GuestRam) => PageTables;
  readonly entryBytes: 4 | 8;
  /** Shift and width of each level's index, base pages first. */
  readonly levels: readonly (readonly [shift: number, bits: number])[];
  readonly pageShifts: readonly number[];
  readonly table: (physical: bigint, topLevel: boolean) => bigint;
  readonly page: (mapping: Mapping) => bigint;
  /** First address of the user's and of the kernel's half, and how many bits an address has in it. */
  readonly userBase: bigint;
  readonly kernelBase: bigint;
  readonly halfBits: number;
}

const bit = (on: boolean, at: number): bigint => (on ? 1n << BigInt(at) : 0n);

const nine = (count: number): (readonly [number, number])[] =>
  Array.from({ length: count }, (_, level) => [12 + 9 * level, 9] as const);

const x86Page = ({ physical, shift, write, user }: Mapping): bigint =>
  physical | 1n | bit(write, 1) | bit(user, 2) | bit(shift > 12, 7);

function x86(levels: 4 | 5): Paging {
  const half = 11 + 9 * levels;
  return {
    name: `x86_64, ${levels} levels`,
    create: (ram) => new X86_64Tables(ram, levels),
    entryBytes: 8,
    levels: nine(levels),
    pageShifts: [12, 21, 30],
    table: (physical) => physical | 7n,
    page: x86Page,
    userBase: 0n,
    kernelBase: 2n ** 64n - 2n ** BigInt(half),
    halfBits: half,
  };
}

function arm64(vaBits: 39 | 48): Paging {
  return {
    name: `arm64, ${vaBits} bits`,
    create: (ram) => new Arm64Tables(ram, vaBits),
    entryBytes: 8,
    levels: nine(vaBits === 39 ? 3 : 4),
    pageShifts: [12, 21, 30],
    table: (physical) => physical | 3n,
    page: ({ physical, shift, write, user }) =>
      physical | (shift === 12 ? 3n : 1n) | bit(user, 6) | bit(!write, 7) | bit(true, 10) | bit(true, 54),
    userBase: 0n,
    kernelBase: 2n ** 64n - 2n ** BigInt(vaBits),
    halfBits: vaBits,
  };
}

function riscv64(levels: 3 | 4 | 5): Paging {
  const half = 11 + 9 * levels;
  return {
    name: `riscv64, sv${half + 1}`,
    create: (ram) => new Riscv64Tables(ram, levels),
    entryBytes: 8,
    levels: nine(levels),
    pageShifts: [12, 21, 30],
    table: (physical) => ((physical >> 12n) << 10n) | 1n,
    page: ({ physical, write, user }) => ((physical >> 12n) << 10n) | 0xcbn | bit(write, 2) | bit(user, 4),
    userBase: 0n,
    kernelBase: 2n ** 64n - 2n ** BigInt(half),
    halfBits: half,
  };
}

export const PAGINGS: readonly Paging[] = [
  x86(4),
  x86(5),
  {
    name: 'i386, PAE',
    create: (ram) => new I386Tables(ram, { pae: true }),
    entryBytes: 8,
    levels: [
      [12, 9],
      [21, 9],
      [30, 2],
    ],
    pageShifts: [12, 21],
    table: (physical, topLevel) => physical | (topLevel ? 1n : 7n),
    page: x86Page,
    userBase: 0n,
    kernelBase: 0xc000_0000n,
    halfBits: 30,
  },
  {
    name: 'i386, two levels',
    create: (ram) => new I386Tables(ram, { pae: false }),
    entryBytes: 4,
    levels: [
      [12, 10],
      [22, 10],
    ],
    pageShifts: [12, 22],
    table: (physical) => physical | 7n,
    page: (mapping) => {
      const low = { ...mapping, physical: BigInt.asUintN(32, mapping.physical) };
      return x86Page(low) | ((mapping.physical >> 32n) << 13n);
    },
    userBase: 0n,
    kernelBase: 0xc000_0000n,
    halfBits: 30,
  },
  arm64(39),
  arm64(48),
  riscv64(3),
  riscv64(4),
  riscv64(5),
  {
    name: 'loongarch64, 16 KiB pages',
    create: (ram) => new Loongarch64Tables(ram),
    entryBytes: 8,
    levels: [
      [14, 11],
      [25, 11],
      [36, 11],
    ],
    pageShifts: [14, 25],
    table: (physical) => physical | 0x9000_0000_0000_0000n,
    page: ({ physical, shift, write, user }) =>
      physical |
      1n |
      bit(write, 8) |
      bit(write, 1) |
      (user ? 0xcn : 0n) |
      bit(true, 7) |
      bit(shift > 14, 6) |
      bit(true, 4),
    userBase: 0n,
    kernelBase: 0xffff_8000_0000_0000n,
    halfBits: 47,
  },
];

/** Tables live in the first bytes of RAM, pages anywhere behind. */
const TABLES_AT = 0x10_0000;

/** A machine of RAM and one address space, filled by `map` as an operating system would. */
export class PagedMachine {
  readonly paging: Paging;
  readonly bytes: Uint8Array;
  readonly ram: MappedRam;
  readonly tables: PageTables;
  /** Top tables of the two halves: architectures with one for both find the same pages in either. */
  readonly kernelRoot: number;
  readonly userRoot: number;
  readonly #view: DataView;
  readonly #tableBytes: number;
  readonly #children = new Map<number, number>();
  #next = TABLES_AT;

  constructor(paging: Paging, size: number) {
    this.paging = paging;
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.ram = new MappedRam([{ start: 0, bytes: this.bytes }]);
    this.tables = paging.create(this.ram);
    this.#tableBytes = Math.max(4096, ...paging.levels.map(([, bits]) => paging.entryBytes << bits));
    this.kernelRoot = this.#newTable();
    this.userRoot = this.#newTable();
  }

  rootOf(virtual: bigint): number {
    return virtual < this.paging.kernelBase ? this.userRoot : this.kernelRoot;
  }

  /** False where a page or a table is there already. */
  map(mapping: Mapping): boolean {
    let table = this.rootOf(mapping.virtual);
    for (let level = this.paging.levels.length - 1; level >= 0; level--) {
      const [shift, bits] = this.paging.levels[level];
      const at =
        table + Number((mapping.virtual >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n)) * this.paging.entryBytes;
      const entry = this.#entry(at);
      if (shift === mapping.shift) {
        if (entry !== 0n) return false;
        this.#setEntry(at, this.paging.page(mapping));
        return true;
      }
      if (entry === 0n) {
        const next = this.#newTable();
        this.#setEntry(at, this.paging.table(BigInt(next), level === this.paging.levels.length - 1));
        this.#children.set(at, next);
        table = next;
      } else {
        const next = this.#children.get(at);
        if (next === undefined) return false;
        table = next;
      }
    }
    return false;
  }

  #newTable(): number {
    const at = this.#next;
    this.#next += this.#tableBytes;
    if (this.#next > this.bytes.length) throw new RangeError('the test has no room for page tables');
    return at;
  }

  #entry(at: number): bigint {
    return this.paging.entryBytes === 8 ? this.#view.getBigUint64(at, true) : BigInt(this.#view.getUint32(at, true));
  }

  #setEntry(at: number, value: bigint): void {
    if (this.paging.entryBytes === 8) this.#view.setBigUint64(at, value, true);
    else this.#view.setUint32(at, Number(value), true);
  }
}
