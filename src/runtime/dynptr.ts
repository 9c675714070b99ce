import { BPF_MEMORY_HI, type BpfMemory } from './memory/bpf-memory.js';

/** Bytes of struct bpf_dynptr. */
export const DYNPTR_SIZE = 16;
/** DYNPTR_MAX_SIZE */
export const DYNPTR_MAX = (1 << 24) - 1;

/** enum bpf_dynptr_type */
export const DynptrType = { none: 0, local: 1, ringbuf: 2 } as const;

/** struct bpf_dynptr_kern: what a dynamic pointer refers to. */
export interface Dynptr {
  readonly type: number;
  /** Offset of the first byte; 0 in one that refers to nothing. */
  readonly data: number;
  readonly size: number;
}

/** Where the fields are, in words, and the bits of the type above those of the size. */
const DATA_HI = 1;
const SIZE = 2;
const OFFSET = 3;
const TYPE_SHIFT = 28;

export const NULL_DYNPTR: Dynptr = { type: DynptrType.none, data: 0, size: 0 };

/** Writes the struct at `at`. */
export function setDynptr({ u32 }: BpfMemory, at: number, { type, data, size }: Dynptr): void {
  const word = at >>> 2;
  u32[word] = data;
  u32[word + DATA_HI] = data === 0 ? 0 : BPF_MEMORY_HI;
  u32[word + SIZE] = ((type << TYPE_SHIFT) | size) >>> 0;
  u32[word + OFFSET] = 0;
}

/** Reads the struct at `at`; undefined where no helper has left those bytes. */
export function readDynptr({ u32 }: BpfMemory, at: number): Dynptr | undefined {
  const word = at >>> 2;
  const [data, dataHi, packed, offset] = u32.subarray(word, word + 4);
  if ((data | dataHi | packed | offset) === 0) return NULL_DYNPTR;
  const type = packed >>> TYPE_SHIFT;
  const size = packed & DYNPTR_MAX;
  const known = type === DynptrType.local || type === DynptrType.ringbuf;
  const kept =
    known && dataHi === BPF_MEMORY_HI >>> 0 && offset === 0 && ((type << TYPE_SHIFT) | size) >>> 0 === packed;
  return kept ? { type, data, size } : undefined;
}
