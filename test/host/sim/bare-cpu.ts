import { hi32, lo32, u64 } from '../../../src/base/index.js';
import type { CpuDevices } from '../../../src/host/sim/cpu/cpu-state.js';
import { readFlags, writeFlags } from '../../../src/host/sim/cpu/flags.js';
import { PhysicalMemory } from '../../../src/host/sim/cpu/physical-memory.js';
import { X86Cpu } from '../../../src/host/sim/cpu/x86-cpu.js';

const PAGE = 4096;

const noDevices: CpuDevices = {
  hypercall() {},
  timestamp(cpu, d) {
    cpu.r[d] = 0;
    cpu.r[d + 1] = 0;
  },
};

/** A processor with page tables and nothing else: no kernel, no IDT. Exceptions shut it down. */
export class BareCpu {
  readonly physical: PhysicalMemory;
  readonly cpu: X86Cpu;
  readonly #root: number;
  #free = PAGE;

  constructor(bytes: number, devices: CpuDevices = noDevices) {
    this.physical = new PhysicalMemory(bytes);
    this.cpu = new X86Cpu(0, this.physical, devices);
    this.#root = this.allocate(1);
    this.cpu.mmu.cr3 = this.#root;
  }

  /** Physical address of fresh pages. */
  allocate(pages: number): number {
    const at = this.#free;
    this.#free += pages * PAGE;
    if (this.#free > this.physical.size) throw new RangeError('out of physical memory');
    return at;
  }

  /** Maps one 4 KiB page; `flags` are page table bits (1 present, 2 writable, 4 user, bit 63 no execution). */
  map(virtual: bigint, physical: number, flags: bigint): void {
    let table = this.#root;
    for (const shift of [39n, 30n, 21n]) {
      const at = table + 8 * Number((virtual >> shift) & 511n);
      if ((this.physical.u64(at) & 1n) === 0n) this.physical.setU64(at, BigInt(this.allocate(1)) | 7n);
      table = Number(this.physical.u64(at) & 0xffff_ffff_f000n);
    }
    this.physical.setU64(table + 8 * Number((virtual >> 12n) & 511n), BigInt(physical) | flags);
  }

  register(n: number): bigint {
    return u64(this.cpu.r[2 * n], this.cpu.r[2 * n + 1]);
  }

  setRegister(n: number, value: bigint): void {
    this.cpu.r[2 * n] = lo32(value);
    this.cpu.r[2 * n + 1] = hi32(value);
  }

  get rip(): bigint {
    return u64(this.cpu.ipLo, this.cpu.ipHi);
  }

  set rip(value: bigint) {
    this.cpu.ipLo = lo32(value);
    this.cpu.ipHi = hi32(value);
  }

  get flags(): bigint {
    return BigInt(readFlags(this.cpu));
  }

  set flags(value: bigint) {
    writeFlags(this.cpu, Number(value));
  }
}
