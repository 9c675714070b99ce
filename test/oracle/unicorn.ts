import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import type { Unavailable } from './describe-with.js';

type Engine = unknown;
type Args = readonly unknown[];

/** The functions of libunicorn2 that are used here. */
interface UnicornLibrary {
  readonly koffi: typeof Koffi;
  version(): string;
  call(name: keyof typeof SIGNATURES, ...args: Args): number;
}

const SIGNATURES = {
  uc_open: 'int uc_open(int arch, int mode, _Out_ void **engine)',
  uc_close: 'int uc_close(void *engine)',
  uc_mem_map: 'int uc_mem_map(void *engine, uint64_t address, size_t size, uint32_t perms)',
  uc_mem_write: 'int uc_mem_write(void *engine, uint64_t address, const void *bytes, size_t size)',
  uc_mem_read: 'int uc_mem_read(void *engine, uint64_t address, void *bytes, size_t size)',
  uc_emu_start: 'int uc_emu_start(void *engine, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
  uc_reg_write_batch: 'int uc_reg_write_batch(void *engine, const void *ids, const void *values, int count)',
  uc_reg_read_batch: 'int uc_reg_read_batch(void *engine, const void *ids, const void *values, int count)',
  uc_ctl: 'int uc_ctl(void *engine, uint32_t control, ...)',
} as const;

/** UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2). */
const REMOVE_CACHE = 9 | (2 << 26) | (1 << 30);
const ALL_PERMISSIONS = 7;
/** UC_ERR_OK; every other number of `run` is one of uc_err. */
export const UNICORN_OK = 0;
/** UC_ERR_FETCH_UNMAPPED: the pc is where no memory is. */
export const UNICORN_FETCH_UNMAPPED = 8;

const numbered = (prefix: string, first: number, from: number, to: number): [string, number][] =>
  Array.from({ length: to - from + 1 }, (_, i) => [`${prefix}${from + i}`, first + i]);

/** UC_ARCH_*, UC_MODE_* and the numbers of registers under the kernel's names. */
const ARCHITECTURES = {
  x86_64: {
    arch: 4,
    mode: 8,
    registers: new Map([
      ['ax', 35],
      ['cx', 38],
      ['dx', 40],
      ['bx', 37],
      ['sp', 44],
      ['bp', 36],
      ['si', 43],
      ['di', 39],
      ...numbered('r', 106, 8, 15),
      ['ip', 41],
      ['flags', 25],
    ]),
  },
  i386: {
    arch: 4,
    mode: 4,
    registers: new Map([
      ['ax', 19],
      ['cx', 22],
      ['dx', 24],
      ['bx', 21],
      ['sp', 30],
      ['bp', 20],
      ['si', 29],
      ['di', 23],
      ['ip', 26],
      ['flags', 25],
    ]),
  },
  arm64: {
    arch: 2,
    mode: 0,
    registers: new Map([...numbered('x', 199, 0, 28), ['x29', 1], ['x30', 2], ['sp', 4], ['pc', 260], ['nzcv', 3]]),
  },
} as const;

export type UnicornArch = keyof typeof ARCHITECTURES;

/**
 * A processor of libunicorn2 in its most privileged mode, with no memory but what is mapped. Registers are set and
 * read all at once through `values`.
 */
export class UnicornCpu {
  /** Names of the registers in the order of `values`. */
  readonly names: readonly string[];
  /** What `load` puts into the registers and `save` finds there. */
  readonly values: BigUint64Array;
  readonly #library: UnicornLibrary;
  readonly #engine: Engine;
  readonly #ids: Int32Array;
  readonly #pointers: BigUint64Array;

  constructor(library: UnicornLibrary, name: UnicornArch) {
    const { arch, mode, registers } = ARCHITECTURES[name];
    this.#library = library;
    this.names = [...registers.keys()];
    this.values = new BigUint64Array(registers.size);
    this.#ids = Int32Array.from(registers.values());
    const at = library.koffi.address(this.values) as bigint | number;
    this.#pointers = BigUint64Array.from(this.names, (_, i) => BigInt(at) + BigInt(8 * i));
    const out: [Engine] = [null];
    this.#must('uc_open', library.call('uc_open', arch, mode, out));
    this.#engine = out[0];
  }

  /** Makes `size` bytes at `address` readable, writable and executable; both multiples of 4096. */
  map(address: bigint, size: number): void {
    this.#must('uc_mem_map', this.#call('uc_mem_map', address, size, ALL_PERMISSIONS));
  }

  /** Writes data; for code that may have been executed before, use `writeCode`. */
  write(address: bigint, bytes: Uint8Array): void {
    this.#must('uc_mem_write', this.#call('uc_mem_write', address, bytes, bytes.length));
  }

  writeCode(address: bigint, bytes: Uint8Array): void {
    this.write(address, bytes);
    const end = address + BigInt(bytes.length);
    this.#must('uc_ctl', this.#call('uc_ctl', REMOVE_CACHE, 'uint64_t', address, 'uint64_t', end));
  }

  read(address: bigint, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    this.#must('uc_mem_read', this.#call('uc_mem_read', address, bytes, size));
    return bytes;
  }

  set(name: string, value: bigint): void {
    this.values[this.#index(name)] = value;
  }

  get(name: string): bigint {
    return this.values[this.#index(name)];
  }

  load(): void {
    const { values } = this;
    this.#must('uc_reg_write_batch', this.#call('uc_reg_write_batch', this.#ids, this.#pointers, values.length));
  }

  save(): void {
    const { values } = this;
    // Registers of 32 bits fill half of their place.
    values.fill(0n);
    this.#must('uc_reg_read_batch', this.#call('uc_reg_read_batch', this.#ids, this.#pointers, values.length));
  }

  /**
   * Executes from `begin` on until the pc is `until`, or `count` instructions. A repeated string instruction counts
   * once per round. The result is UNICORN_OK or the number of the error that stopped it.
   */
  run(begin: bigint, until: bigint, count = 0): number {
    return this.#call('uc_emu_start', begin, until, 0, count);
  }

  close(): void {
    this.#call('uc_close');
  }

  #index(name: string): number {
    const index = this.names.indexOf(name);
    if (index < 0) throw new RangeError(`${name} is none of ${this.names.join(' ')}`);
    return index;
  }

  #call(name: keyof typeof SIGNATURES, ...args: Args): number {
    return this.#library.call(name, this.#engine, ...args);
  }

  #must(what: string, status: number): void {
    if (status !== UNICORN_OK) throw new Error(`${what} answered ${status}`);
  }
}

/** Debian's libunicorn2. */
export class Unicorn {
  readonly version: string;
  readonly #library: UnicornLibrary;

  constructor(library: UnicornLibrary) {
    this.#library = library;
    this.version = library.version();
  }

  cpu(arch: UnicornArch): UnicornCpu {
    return new UnicornCpu(this.#library, arch);
  }
}

export function unicorn(): Unicorn | Unavailable {
  let koffi: typeof Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch {
    return { unavailable: 'koffi is not installed or has no binary for this machine' };
  }
  try {
    return new Unicorn(open(koffi));
  } catch {
    return { unavailable: 'libunicorn.so.2 is not installed (package libunicorn2)' };
  }
}

function open(koffi: typeof Koffi): UnicornLibrary {
  const library = koffi.load('libunicorn.so.2');
  const functions = new Map(Object.entries(SIGNATURES).map(([name, text]) => [name, library.func(text)]));
  const version = library.func('unsigned int uc_version(void *major, void *minor)');
  return {
    koffi,
    version: () => {
      const packed = version(null, null) as number;
      return [24, 16, 8].map((shift) => (packed >>> shift) & 0xff).join('.');
    },
    call: (name, ...args) => (functions.get(name) as (...args: Args) => number)(...args),
  };
}
