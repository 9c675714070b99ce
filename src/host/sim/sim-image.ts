/** The kernel and its disk as the build script left them. docs/simulator.md, "Image". */
export interface SimImage {
  /** Virtual address of the first byte. */
  readonly base: bigint;
  /** Virtual address after bss. */
  readonly end: bigint;
  /** Base64 of the bytes from `base`; what follows up to `end` is zero. */
  readonly bytes: string;
  /** One symbol a line: address and size in hex, nm's type letter, name. */
  readonly symbols: string;
  /** Base64 of the kernel's BTF. */
  readonly btf: string;
  /** By tracepoint index. */
  readonly tracepoints: readonly SimImageTracepoint[];
  /** The disk at boot, zero elsewhere. */
  readonly disk: readonly SimImageDiskChunk[];
  /** System calls by number. */
  readonly syscalls: Readonly<Record<number, string>>;
}

export interface SimImageTracepoint {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: string }[];
  /** Virtual address of the int that turns it on. */
  readonly flag: bigint;
}

export interface SimImageDiskChunk {
  readonly sector: number;
  /** Base64 of whole sectors. */
  readonly bytes: string;
}
