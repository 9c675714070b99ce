/**
 * A part of BpfMemory that a run may touch: an access of `n` bytes at offset `o` is allowed iff
 * start <= o < end and (o - start) % stride + n <= size. With stride 0 the region is one piece
 * of `end - start` bytes.
 */
export interface AccessRegion {
  start: number;
  end: number;
  stride: number;
  size: number;
  writable: boolean;
}
