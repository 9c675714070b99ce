import type { BpfOffset } from './bpf-memory.js';

/** Bytes of a page: what rings and BPF_F_MMAPABLE arrays are made of. */
export const PAGE_SIZE = 4096;

/**
 * Where the pages come from that somebody outside may map: ring buffers, perf rings, BPF_F_MMAPABLE arrays. By default
 * they are part of `BpfMemory` like all else; a host that must map them elsewhere (into its guest's user space,
 * say) brings its own, which gives offsets in a part of the same memory that `BpfMemory` leaves alone
 * (`BpfMemoryOptions.reserved`).
 */
export interface PageProvider {
  /** Offset of `count` zeroed, page-aligned, contiguous pages; throws an ENOMEM `BpfError` where there are none. */
  allocPages(count: number): BpfOffset;
  freePages(offset: BpfOffset, count: number): void;
}
