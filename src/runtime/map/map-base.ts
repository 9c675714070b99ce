import { BpfError, BpfMapFlag, BpfUpdateFlag, Errno } from '../../base/index.js';
import type { AccessRegion } from '../access-region.js';
import { PAGE_SIZE } from '../memory/page-provider.js';
import { bpfOffset, type BpfMemory, type BpfOffset } from '../memory/bpf-memory.js';
import type { PendingWakeups } from '../ring/pending-wakeups.js';
import type { BpfMap, MapSpec } from './bpf-map.js';
import { MapHeader, roundUp8 } from './map-layout.js';

/** What a map needs of the runtime that owns it. */
export interface MapDeps {
  readonly memory: BpfMemory;
  /** Number of possible CPUs. */
  readonly cpus: number;
  /** The map's id, unique in the runtime. */
  readonly id: number;
  /** CPU on which the system-call view acts (LRU lists, spare elements); 0 when absent. */
  readonly currentCpu?: () => number;
  /** Where ring buffers note whom to wake; absent: they wake at once. */
  readonly wakeups?: PendingWakeups | undefined;
  /** Called once, when the last reference has gone and before the memory is given back. */
  readonly onRelease?: (map: BpfMap) => void;
}

/** The blocks of memory of one map, given back together, also when its construction fails half-way. */
export class MapBlocks {
  readonly #memory: BpfMemory;
  readonly #blocks: { offset: BpfOffset; size: number }[] = [];
  readonly #pages: { offset: BpfOffset; count: number }[] = [];

  constructor(memory: BpfMemory) {
    this.#memory = memory;
  }

  /** Bytes held. */
  get bytes(): number {
    const pages = this.#pages.reduce((sum, { count }) => sum + count, 0);
    return this.#blocks.reduce((sum, block) => sum + block.size, pages * PAGE_SIZE);
  }

  allocate(size: number, align?: number): BpfOffset {
    const offset = this.#memory.alloc(size, align);
    this.#blocks.push({ offset, size });
    return offset;
  }

  /** `size` bytes that somebody outside may map. */
  allocatePages(size: number): BpfOffset {
    const count = Math.ceil(size / PAGE_SIZE);
    const offset = this.#memory.pages.allocPages(count);
    this.#pages.push({ offset, count });
    return offset;
  }

  freeAll(): void {
    for (const block of this.#blocks) this.#memory.free(block.offset, block.size);
    for (const { offset, count } of this.#pages) this.#memory.pages.freePages(offset, count);
    this.#blocks.length = 0;
    this.#pages.length = 0;
  }
}

/** What a map is made with. */
export interface MapContext extends MapDeps {
  readonly blocks: MapBlocks;
}

/** Where keys and values are, as the header tells it. */
export interface MapGeometry {
  readonly stride: number;
  readonly cpuStride: number;
  readonly elemKey: number;
  readonly elemValue: number;
}

/**
 * What all map types share: header, names, reference count, and the checks that bpf(2) makes before it
 * reaches the map type: access mode, frozen state, flags. Each check is done in the order of Linux 6.18.
 */
export abstract class MapBase implements BpfMap {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly spec: MapSpec;
  readonly address: BpfOffset;
  abstract readonly regions: readonly AccessRegion[];
  protected readonly memory: BpfMemory;
  protected readonly cpus: number;
  readonly #context: MapContext;
  #references = 1;
  #frozen = false;

  /** `maxEntries` differs from the spec's where Linux rounds it. Throws ENOMEM. */
  constructor(context: MapContext, spec: MapSpec, maxEntries: number = spec.maxEntries) {
    this.#context = context;
    this.memory = context.memory;
    this.cpus = context.cpus;
    this.id = context.id;
    this.name = spec.name;
    this.type = spec.type;
    this.keySize = spec.keySize;
    this.valueSize = spec.valueSize;
    this.maxEntries = maxEntries;
    this.flags = spec.flags;
    this.spec = spec;
    this.address = this.allocate(MapHeader.size + roundUp8(spec.keySize));
    this.setHeader(MapHeader.type, spec.type);
    this.setHeader(MapHeader.id, context.id);
    this.setHeader(MapHeader.keySize, spec.keySize);
    this.setHeader(MapHeader.valueSize, spec.valueSize);
    this.setHeader(MapHeader.maxEntries, maxEntries);
    this.setHeader(MapHeader.flags, spec.flags);
    this.setHeader(MapHeader.scratchKey, this.address + MapHeader.size);
  }

  get memoryUsage(): number {
    return this.#context.blocks.bytes;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  abstract lookupElem(key: BpfOffset, cpu: number): number;
  abstract updateElem(key: BpfOffset, value: BpfOffset, flags: number, cpu: number): number;
  abstract deleteElem(key: BpfOffset): number;

  pushElem(_value: BpfOffset, _flags: number): number {
    return -Errno.EINVAL;
  }

  peekElem(_value: BpfOffset): number {
    return -Errno.EINVAL;
  }

  popElem(_value: BpfOffset): number {
    return -Errno.EINVAL;
  }

  forEachElem(_each: (key: BpfOffset, value: BpfOffset) => number, _cpu: number): number {
    return -Errno.EINVAL;
  }

  directValue(_offset: number): number {
    return -Errno.EINVAL;
  }

  sysLookup(key: Uint8Array, flags = 0, asked?: Uint8Array): Uint8Array | number {
    if (this.#isGone) return -Errno.EBADF;
    if (!isLockAtMost(flags)) return -Errno.EINVAL;
    if (!this.#canRead()) return -Errno.EPERM;
    if (flags !== 0) return -Errno.EINVAL;
    if (asked !== undefined) this.#checkLength('value', asked, this.valueSize);
    return this.copyValue(this.passKey(key), asked);
  }

  sysUpdate(key: Uint8Array, value: Uint8Array, flags = 0): number {
    if (this.#isGone) return -Errno.EBADF;
    if (!this.#canWrite()) return -Errno.EPERM;
    if ((flags & BpfUpdateFlag.BPF_F_LOCK) !== 0) return -Errno.EINVAL;
    this.#checkLength('value', value, this.sysValueSize);
    return this.storeValue(this.passKey(key), value, flags);
  }

  sysDelete(key: Uint8Array): number {
    if (this.#isGone) return -Errno.EBADF;
    if (!this.#canWrite()) return -Errno.EPERM;
    return this.deleteElem(this.passKey(key));
  }

  sysNextKey(key: Uint8Array | null): Uint8Array | number {
    if (this.#isGone) return -Errno.EBADF;
    if (!this.#canRead()) return -Errno.EPERM;
    return this.nextKey(key === null ? null : this.passKey(key));
  }

  sysLookupAndDelete(key: Uint8Array, flags = 0): Uint8Array | number {
    if (this.#isGone) return -Errno.EBADF;
    if (!isLockAtMost(flags)) return -Errno.EINVAL;
    if (!this.#canRead() || !this.#canWrite()) return -Errno.EPERM;
    if (flags !== 0) return -Errno.EINVAL;
    return this.takeValue(this.passKey(key));
  }

  sysFreeze(): number {
    if (this.#isGone) return -Errno.EBADF;
    if (!this.#canWrite()) return -Errno.EPERM;
    this.#frozen = true;
    return 0;
  }

  /** Bytes of a value in the system-call view. */
  get sysValueSize(): number {
    return this.valueSize;
  }

  /** Its memory is somebody else's, once the last reference is dropped. */
  get #isGone(): boolean {
    return this.#references === 0;
  }

  retain(): void {
    if (this.#isGone) {
      throw new BpfError('EBADF', `using map ${this.name}: it is gone`, {
        remedy: 'keep a reference, or the collection that made it, for as long as it is used',
      });
    }
    this.#references++;
  }

  release(): void {
    if (this.#isGone || --this.#references > 0) return;
    this.#context.onRelease?.(this);
    this.dropContents();
    this.#context.blocks.freeAll();
  }

  /** The system-call view of the value of the key at `key`, or -errno. */
  protected abstract copyValue(key: BpfOffset, asked?: Uint8Array): Uint8Array | number;
  protected abstract storeValue(key: BpfOffset, value: Uint8Array, flags: number): number;
  protected abstract nextKey(key: BpfOffset | null): Uint8Array | number;

  protected takeValue(_key: BpfOffset): Uint8Array | number {
    return -Errno.ENOTSUPP;
  }

  /** Lets go of what the elements refer to. */
  protected dropContents(): void {}

  /** Memory that is given back with the map. */
  protected allocate(size: number, align?: number): BpfOffset {
    return this.#context.blocks.allocate(size, align);
  }

  protected allocatePages(size: number): BpfOffset {
    return this.#context.blocks.allocatePages(size);
  }

  protected get currentCpu(): number {
    return this.#context.currentCpu?.() ?? 0;
  }

  protected setHeader(field: number, value: number): void {
    this.memory.u32[(this.address + field) >>> 2] = value;
  }

  protected header(field: number): number {
    return this.memory.u32[(this.address + field) >>> 2];
  }

  protected setGeometry(geometry: MapGeometry): void {
    this.setHeader(MapHeader.stride, geometry.stride);
    this.setHeader(MapHeader.cpuStride, geometry.cpuStride);
    this.setHeader(MapHeader.elemKey, geometry.elemKey);
    this.setHeader(MapHeader.elemValue, geometry.elemValue);
  }

  protected get progWritable(): boolean {
    return (this.flags & BpfMapFlag.BPF_F_RDONLY_PROG) === 0;
  }

  #canRead(): boolean {
    return (this.flags & BpfMapFlag.BPF_F_WRONLY) === 0;
  }

  #canWrite(): boolean {
    return (this.flags & BpfMapFlag.BPF_F_RDONLY) === 0 && !this.#frozen;
  }

  /** A change that user space makes at `key`, with the checks that all of them begin with. */
  protected withKey(key: Uint8Array, change: (key: BpfOffset) => number): number {
    return this.#canWrite() ? change(this.passKey(key)) : -Errno.EPERM;
  }

  /** Where `key` now lies in BpfMemory, until the next one is passed. */
  protected passKey(key: Uint8Array): BpfOffset {
    this.#checkLength('key', key, this.keySize);
    const scratch = bpfOffset(this.address + MapHeader.size);
    this.memory.u8.set(key, scratch);
    return scratch;
  }

  #checkLength(what: string, bytes: Uint8Array, expected: number): void {
    if (bytes.length !== expected) {
      throw new RangeError(`map "${this.name}": the ${what} has ${bytes.length} bytes, not ${expected}`);
    }
  }
}

/** Of flags of 64 bits: whether there is none but BPF_F_LOCK. */
function isLockAtMost(flags: number): boolean {
  return flags === 0 || flags === BpfUpdateFlag.BPF_F_LOCK;
}
