import type { Btf } from '../../../btf/index.js';
import type { SymbolTable } from '../../index.js';
import { findKallsyms, type FoundKallsyms, kallsymsTable } from '../kallsyms/find-kallsyms.js';
import { openBootImage } from './boot-formats.js';
import { type ElfImage, isElf, layOutElf } from './elf-image.js';
import { findBtf, type FoundBtf } from './find-btf.js';
import { findKconfig } from './find-kconfig.js';
import { bannerVersion, findBanner } from './kernel-banner.js';
import { type Unpackers, unpack } from './unpack.js';

/**
 * A kernel as its boot image holds it: memory as it is loaded, before any relocation. Symbols, types, version and
 * configuration are looked for when first asked for, which takes some hundred milliseconds.
 */
export class KernelImage {
  readonly arch: ElfImage['arch'];
  /** What is loaded, from the kernel's first byte on. An offset in it is the distance from where the kernel is loaded. */
  readonly bytes: Uint8Array;
  /** Virtual address that the first byte is linked for; undefined where the image does not say (arm64, riscv64 Image). */
  readonly linkBase: bigint | undefined;
  #kallsyms: FoundKallsyms | undefined;
  #btf: FoundBtf | null | undefined;
  #banner: string | null | undefined;
  #kconfig: string | null | undefined;
  readonly #unpackers: Unpackers;

  constructor(arch: ElfImage['arch'], bytes: Uint8Array, linkBase?: bigint, unpackers: Unpackers = {}) {
    this.arch = arch;
    this.bytes = bytes;
    this.linkBase = linkBase;
    this.#unpackers = unpackers;
  }

  get pointerSize(): 4 | 8 {
    return this.arch === 'i386' ? 4 : 8;
  }

  /** The kernel's own symbol tables. ENOENT where it has none. */
  get kallsyms(): FoundKallsyms {
    this.#kallsyms ??= findKallsyms(this.bytes, this.pointerSize);
    return this.#kallsyms;
  }

  /** Where in the image the kernel's BTF lies, or null where it has none. */
  get foundBtf(): FoundBtf | null {
    if (this.#btf === undefined) this.#btf = findBtf(this.bytes);
    return this.#btf;
  }

  get btf(): Btf | null {
    return this.foundBtf?.btf ?? null;
  }

  /** What it says of itself when it boots (linux_banner); null where it does not. */
  get banner(): string | null {
    if (this.#banner === undefined) this.#banner = findBanner(this.bytes);
    return this.#banner;
  }

  /** Its LINUX_VERSION_CODE, or undefined. */
  get version(): number | undefined {
    return this.banner === null ? undefined : bannerVersion(this.banner);
  }

  /** The configuration that it carries (CONFIG_IKCONFIG), or null: most do not. It takes an unpacker of gzip. */
  get kconfig(): string | null {
    if (this.#kconfig === undefined) this.#kconfig = findKconfig(this.bytes, this.#unpackers);
    return this.#kconfig;
  }

  /** Symbols moved by `slide` from the addresses the image holds, which on arm64 count from 0 until it is relocated. */
  symbols(slide = 0n): SymbolTable {
    return kallsymsTable(this.kallsyms, slide);
  }
}

/**
 * Opens a kernel: bzImage, Image or EFI zboot as boot loaders take them, or an ELF vmlinux. Formats that are packed with
 * something else than lz4 need an unpacker.
 */
export function openKernelImage(file: Uint8Array, unpackers: Unpackers = {}): KernelImage {
  if (isElf(file)) return fromElf(file, unpackers);
  const boot = openBootImage(file);
  if (boot.kind === 'flat') return new KernelImage(boot.arch, boot.bytes, undefined, unpackers);
  const inner = unpack(boot.payload, unpackers);
  if (isElf(inner)) return fromElf(inner, unpackers);
  const flat = openBootImage(inner);
  return flat.kind === 'flat'
    ? new KernelImage(flat.arch, flat.bytes, undefined, unpackers)
    : openKernelImage(unpack(flat.payload, unpackers), unpackers);
}

function fromElf(file: Uint8Array, unpackers: Unpackers): KernelImage {
  const { arch, bytes, virtualBase } = layOutElf(file);
  return new KernelImage(arch, bytes, virtualBase, unpackers);
}
