import { BpfError } from '../../../base/index.js';
import type { PhysicalMemory } from '../cpu/physical-memory.js';
import { type EncodedSimImage, decodeBase64 } from '../sim-image.js';

const PAGE = 4096;
const LARGE_PAGE = 0x20_0000;
const BOOT_PARAMS = 0x1000;
const TABLES = 0x10000;
const SCRIPT_OFFSET = 100;
const SCRIPT_MAX = 12_288;
const WORKLOAD_MAX = 24;
/** Virtual base of the image's mapping: physical 0. */
const KERNEL_BASE = 0xffff_ffff_8000_0000n;
/** Virtual base of the direct map of all memory. */
export const DIRECT_MAP = 0xffff_8880_0000_0000n;

const P = 1n;
const W = 2n;
const PS = 0x80n;
const NX = 1n << 63n;

/** What the kernel is told at boot. */
export interface BootParams {
  readonly cpus: number;
  readonly seed: bigint;
  readonly tickNs: bigint;
  readonly realtimeNs: bigint;
  readonly diskSectors: bigint;
  readonly workload: string;
  /** Of a thousand packets, how many the loopback device loses. */
  readonly packetLoss: number;
  /** Of a thousand packets, how many it lets later ones overtake. */
  readonly packetReorder: number;
  /** A shell script to run instead of `workload`, or ''. */
  readonly script: string;
}

/** What the loader leaves for the CPUs. */
export interface BootState {
  /** Physical address of the top-level page table. */
  readonly root: number;
  /** Direct-map address of the boot parameters. */
  readonly params: bigint;
}

/** A range of the image, page-aligned, that is mapped executable wherever it lies. */
export interface ExecRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** Puts kernel, page tables and boot parameters into memory, as docs/simulator.md describes. */
export function loadImage(
  physical: PhysicalMemory,
  image: EncodedSimImage,
  exec: ExecRange,
  params: BootParams,
): BootState {
  const at = Number(image.base - KERNEL_BASE);
  const kernel = decodeBase64(image.kernel);
  const end = Number(image.end - KERNEL_BASE);
  if (end + (4 << 20) > physical.size) {
    throw new BpfError('ENOMEM', 'the simulated memory does not hold the kernel', {
      value: physical.size,
      remedy: `give it at least ${Math.ceil((end + (8 << 20)) / (1 << 20))} MiB`,
    });
  }
  physical.write(at, kernel);
  const tables = new TableBuilder(physical, TABLES);
  for (let frame = 0; frame < physical.size; frame += LARGE_PAGE) {
    tables.mapLarge(DIRECT_MAP + BigInt(frame), BigInt(frame) | P | W | NX);
  }
  for (let page = image.base; page < image.end; page += BigInt(PAGE)) {
    tables.map(page, (page - KERNEL_BASE) | pageRights(page, image.textEnd, exec));
  }
  writeParams(physical, params, tables.end);
  return { root: tables.root, params: DIRECT_MAP + BigInt(BOOT_PARAMS) };
}

function pageRights(page: bigint, textEnd: bigint, exec: ExecRange): bigint {
  if (page >= exec.from && page < exec.to) return P;
  if (page + BigInt(PAGE) <= textEnd) return P;
  return page < textEnd ? P | W : P | W | NX;
}

function writeParams(physical: PhysicalMemory, params: BootParams, freeStart: number): void {
  const script = new TextEncoder().encode(params.script);
  const workload = new TextEncoder().encode(params.workload);
  if (script.length > SCRIPT_MAX || workload.length >= WORKLOAD_MAX) {
    throw new BpfError('E2BIG', 'boot script or workload name is too long', { value: script.length });
  }
  const fields: readonly bigint[] = [
    0x6570_6f63_736bn,
    BigInt(physical.size),
    BigInt(freeStart),
    BigInt(params.cpus),
    params.seed,
    params.diskSectors,
    params.tickNs,
    params.realtimeNs,
  ];
  fields.forEach((value, i) => physical.setU64(BOOT_PARAMS + 8 * i, BigInt.asUintN(64, value)));
  physical.view.setUint32(BOOT_PARAMS + 64, script.length, true);
  physical.bytes.set(workload, BOOT_PARAMS + 68);
  physical.view.setUint32(BOOT_PARAMS + 92, params.packetLoss, true);
  physical.view.setUint32(BOOT_PARAMS + 96, params.packetReorder, true);
  physical.bytes.set(script, BOOT_PARAMS + SCRIPT_OFFSET);
}

/** Builds four-level page tables upwards from a physical address. */
class TableBuilder {
  readonly root: number;
  end: number;
  readonly #physical: PhysicalMemory;

  constructor(physical: PhysicalMemory, start: number) {
    this.#physical = physical;
    this.end = start;
    this.root = this.#allocate();
  }

  mapLarge(address: bigint, entry: bigint): void {
    this.#physical.setU64(this.#entry(address, 21n), entry | PS);
  }

  map(address: bigint, entry: bigint): void {
    this.#physical.setU64(this.#entry(address, 12n), entry);
  }

  /** Physical address of the entry for `address` at the level of `shift`, tables above it made as needed. */
  #entry(address: bigint, shift: bigint): number {
    let table = this.root;
    for (let level = 39n; level > shift; level -= 9n) {
      const at = table + 8 * Number((address >> level) & 511n);
      if (this.#physical.u64(at) === 0n) this.#physical.setU64(at, BigInt(this.#allocate()) | P | W);
      table = Number(this.#physical.u64(at) & 0xffff_ffff_f000n);
    }
    return table + 8 * Number((address >> shift) & 511n);
  }

  #allocate(): number {
    const at = this.end;
    this.end += PAGE;
    return at;
  }
}
