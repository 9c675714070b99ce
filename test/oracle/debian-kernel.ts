import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Unavailable } from './describe-with.js';

/** A kernel that Debian built, as a file that a disassembler reads. */
export interface DebianKernel {
  /** The unpacked image: an ELF file, or on arm64 and riscv64 the bytes as they lie in memory (`raw`). */
  readonly path: string;
  readonly raw: boolean;
  /** The file it was found in. */
  readonly boot: string;
}

type KernelArch = 'x86_64' | 'i386' | 'arm64' | 'riscv64';

const unpacked = new URL('../../.cache/oracle/', import.meta.url).pathname;

/**
 * The newest kernel for `arch` among `boot/vmlinu*` below `$KSCOPE_GUEST_CACHE` (default: ~/.cache/kscope/guest, where
 * `kscope guest up` keeps what it fetches) and in /boot. Images are told apart by their headers, not by their names.
 */
export function debianKernel(arch: KernelArch): DebianKernel | Unavailable {
  const cache = process.env['KSCOPE_GUEST_CACHE'] ?? join(homedir(), '.cache/kscope/guest');
  const candidates = [...bootFiles(cache, 6), ...filesOf('/boot')]
    .filter((path) => basename(path).startsWith('vmlinu'))
    .toSorted((a, b) => basename(b).localeCompare(basename(a), 'en', { numeric: true }));
  for (const boot of candidates) {
    const image = readFileSync(boot);
    if (archOf(image) === arch) return unpack(boot, image, arch);
  }
  return { unavailable: `no ${arch} kernel below ${cache} or in /boot (kscope guest up ${arch} fetches one)` };
}

function bootFiles(folder: string, depth: number): string[] {
  if (basename(folder) === 'boot') return filesOf(folder);
  if (depth === 0 || !existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => bootFiles(join(folder, name), depth - 1));
}

function filesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** After Documentation/arch/x86/boot.rst, arm64/booting.rst and riscv/boot-image-header.rst. */
function archOf(image: Buffer): KernelArch | null {
  if (image.length < 0x300) return null;
  if (image.toString('latin1', 0x202, 0x206) === 'HdrS')
    return (image.readUInt16LE(0x236) & 1) !== 0 ? 'x86_64' : 'i386';
  if (image.toString('latin1', 0x38, 0x3c) === 'ARM\x64') return 'arm64';
  return image.toString('latin1', 0x38, 0x3c) === 'RSC\x05' ? 'riscv64' : null;
}

function unpack(boot: string, image: Buffer, arch: KernelArch): DebianKernel | Unavailable {
  if (arch === 'arm64' || arch === 'riscv64') return { path: boot, raw: true, boot };
  const hash = createHash('sha256').update(image).digest('hex').slice(0, 12);
  const path = join(unpacked, `vmlinux-${arch}-${hash}`);
  if (existsSync(path)) return { path, raw: false, boot };
  const payload = payloadOf(image);
  const kernel = decompress(payload);
  if (kernel === null) return { unavailable: `${boot}: no tool here unpacks ${payload.toString('hex', 0, 6)}` };
  mkdirSync(unpacked, { recursive: true });
  // Test files run in parallel processes.
  const scratch = `${path}.${process.pid}`;
  writeFileSync(scratch, kernel);
  renameSync(scratch, path);
  return { path, raw: false, boot };
}

/** The compressed kernel inside a bzImage. */
function payloadOf(image: Buffer): Buffer {
  const setupSectors = image.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  return image.subarray(start, start + image.readUInt32LE(0x24c));
}

function decompress(payload: Buffer): Buffer | null {
  const magic = payload.readUInt32BE(0);
  if (magic >>> 16 === 0x1f8b) return gunzipSync(payload);
  const tool = { 0xfd37_7a58: 'xz', 0x0221_4c18: 'lz4', 0x28b5_2ffd: 'zstd' }[magic];
  if (tool === undefined) return null;
  // Behind all but gzip the kernel's build puts the unpacked size.
  const input = payload.subarray(0, -4);
  const { status, stdout } = spawnSync(tool, ['-dc'], { input, maxBuffer: 1 << 30 });
  return status === 0 ? stdout : null;
}
