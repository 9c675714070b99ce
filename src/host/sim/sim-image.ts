/** The kernel, its programs and its disk as scripts/build-sim-image.mjs writes them. docs/simulator.md, "Image". */
export interface EncodedSimImage {
  /** Virtual address of the kernel's first byte. */
  readonly base: bigint;
  /** Where every CPU starts. */
  readonly entry: bigint;
  /** Virtual address after bss. */
  readonly end: bigint;
  /** Virtual address after the text. */
  readonly textEnd: bigint;
  /** Base64 of the bytes from `base`; what follows up to `end` is zero. */
  readonly kernel: string;
  /** One symbol a line: address less `base` and size in hex, nm's type letter, name. */
  readonly symbols: string;
  /** Base64 of the kernel's BTF. */
  readonly btf: string;
  /** The disk at boot, zero elsewhere; base64. */
  readonly disk: readonly { readonly sector: number; readonly bytes: string }[];
  /** User programs: their path on the disk and symbols with absolute addresses. */
  readonly programs: readonly { readonly path: string; readonly symbols: string }[];
  /** By tracepoint index. */
  readonly tracepoints: readonly SimImageTracepoint[];
  /** Ranges of text that refuse probes. */
  readonly noProbe: readonly { readonly from: bigint; readonly to: bigint; readonly why: string }[];
  /** System calls by number. */
  readonly syscalls: Readonly<Record<number, string>>;
}

export interface SimImageTracepoint {
  readonly name: string;
  readonly args: readonly { readonly name: string; readonly type: string }[];
  /** Virtual address of the int that turns it on. */
  readonly flag: bigint;
}

/** Bytes of a base64 text. */
export function decodeBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
