import { hi32, lo32, s64, u64 } from '../../../src/base/index.js';
import {
  BPF_MEMORY_HI,
  BpfRuntime,
  createHelperTable,
  helperByName,
  type BpfMap,
  type BpfRunCtx,
  type MapSpec,
} from '../../../src/runtime/index.js';
import { TestHost, type TestHostOptions } from '../../support/test-host.js';

/** Where the bench keeps host memory that exists: a page of the kernel's and a page of the current task's. */
export const KERNEL_PAGE = 0xffff_8880_0000_1000n;
export const USER_PAGE = 0x0000_7f00_0000_1000n;
const BUFFER_SIZE = 8192;

/** A runtime on a test host, an open run, and a buffer of BpfMemory for what helpers read and write. */
export class HelperBench {
  readonly host: TestHost;
  readonly runtime: BpfRuntime;
  readonly run: BpfRunCtx;
  readonly kernelPage: Uint8Array;
  readonly userPage: Uint8Array;
  readonly lines: string[] = [];
  readonly #buffer: number;
  readonly #table = createHelperTable();

  constructor(options: TestHostOptions = {}) {
    this.host = new TestHost(options);
    this.kernelPage = this.host.memory.map(KERNEL_PAGE, 4096);
    this.userPage = this.host.memory.map(USER_PAGE, 4096);
    this.runtime = new BpfRuntime(this.host);
    this.runtime.tracePrintk = (line) => void this.lines.push(line);
    this.#buffer = this.runtime.memory.alloc(BUFFER_SIZE);
    this.run = this.runtime.enter(0) as BpfRunCtx;
  }

  /** The buffer's bytes, from `offset`. */
  bytes(length: number, offset = 0): Uint8Array {
    const start = this.#buffer + offset;
    return this.runtime.memory.u8.subarray(start, start + length);
  }

  /** Pointer to the buffer as a program would hold it. */
  at(offset = 0): bigint {
    return u64(this.#buffer + offset, BPF_MEMORY_HI);
  }

  /** Puts a string, NUL included, into the buffer; its pointer. */
  string(text: string, offset = 0): bigint {
    this.bytes(BUFFER_SIZE - offset, offset).set(new TextEncoder().encode(`${text}\0`));
    return this.at(offset);
  }

  map(spec: Partial<MapSpec> & { readonly type: number }): BpfMap {
    return this.runtime.createMap({
      name: 'm',
      keySize: 4,
      valueSize: 8,
      maxEntries: 4,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
      ...spec,
    });
  }

  pointer(map: BpfMap): bigint {
    return u64(map.address, BPF_MEMORY_HI);
  }

  /** Calls a helper by name; r0 as a signed 64-bit number, pointers as their low word. */
  call(name: string, ...args: readonly bigint[]): bigint {
    const helper = helperByName(this.#table, name);
    if (helper === undefined) throw new RangeError(`no helper ${name}`);
    const words = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? lo32 : hi32)(args[i >> 1] ?? 0n)) as Words;
    const result = helper.impl(this.run, ...words);
    return helper.ret === 'u64' ? s64(result, this.run.resultHi) : BigInt(result);
  }
}

type Words = [number, number, number, number, number, number, number, number, number, number];
