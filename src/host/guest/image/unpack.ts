import { BpfError, toHex } from '../../../base/index.js';
import { unpackLz4Legacy } from './lz4-legacy.js';

export type PackFormat = 'gzip' | 'xz' | 'zstd' | 'lz4' | 'bzip2' | 'lzma' | 'lzo';

/** Unpackers that the caller has at hand; lz4 is always there. Each throws what it likes on corrupt input. */
export type Unpackers = Partial<Record<PackFormat, (bytes: Uint8Array) => Uint8Array>>;

const MAGICS: readonly (readonly [PackFormat, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', [0x02, 0x21, 0x4c, 0x18]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0, 0]],
  ['lzo', [0x89, 0x4c, 0x5a, 0x4f]],
];

/** What the bytes are packed with, by their first bytes. */
export function packFormat(bytes: Uint8Array): PackFormat | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte))?.[0];
}

/** Unpacks a kernel's payload. EOPNOTSUPP where nobody can unpack its format, EINVAL where it is corrupt. */
export function unpack(bytes: Uint8Array, unpackers: Unpackers): Uint8Array {
  const format = packFormat(bytes);
  if (format === undefined) {
    throw new BpfError('EINVAL', 'the payload of the kernel image is packed with something unknown', {
      value: toHex(bytes.subarray(0, 8), ' '),
      remedy: `known are ${MAGICS.map(([name]) => name).join(', ')}`,
    });
  }
  const unpacker = unpackers[format] ?? (format === 'lz4' ? unpackLz4Legacy : undefined);
  if (unpacker === undefined) {
    throw new BpfError('EOPNOTSUPP', `nothing here unpacks ${format}, which the kernel image is packed with`, {
      remedy: 'unpack it with scripts/extract-vmlinux and give the ELF file',
    });
  }
  try {
    return unpacker(bytes);
  } catch (error) {
    if (error instanceof BpfError) throw error;
    throw new BpfError('EINVAL', `the ${format} payload of the kernel image is corrupt`, { cause: error });
  }
}
