import { BpfError, ByteReader } from '../../../base/index.js';

/** What a boot loader is given, taken apart. */
export type BootImage =
  /** Something packed inside: an ELF file on x86, an Image on arm64 and riscv64. */
  | { readonly kind: 'packed'; readonly payload: Uint8Array }
  /** arm64 and riscv64: memory as it is loaded. */
  | { readonly kind: 'flat'; readonly arch: 'arm64' | 'riscv64'; readonly bytes: Uint8Array };

const SECTOR = 512;
const DEFAULT_SETUP_SECTORS = 4;
const HDRS = 0x53726448;
/** First boot protocol that tells where the payload is (Linux 2.6.26). */
const PAYLOAD_PROTOCOL = 0x0208;
const ARM64_MAGIC = 0x644d5241;
const RISCV_MAGIC = 0x05435352;
const ZIMG = 0x676d697a;
const MZ = 0x5a4d;

/** Recognises bzImage (Documentation/arch/x86/boot.rst), arm64 and riscv64 Image, and EFI zboot images of the two. */
export function openBootImage(file: Uint8Array): BootImage {
  const reader = new ByteReader(file, true, 'kernel image');
  if (file.length >= 0x250 && reader.u32(0x202) === HDRS) return { kind: 'packed', payload: bzImagePayload(reader) };
  if (file.length >= 64) {
    if (reader.u16(0) === MZ && reader.u32(4) === ZIMG) {
      return { kind: 'packed', payload: reader.slice(reader.u32(8), reader.u32(12)) };
    }
    if (reader.u32(0x38) === ARM64_MAGIC) return { kind: 'flat', arch: 'arm64', bytes: file };
    if (reader.u32(0x38) === RISCV_MAGIC) return { kind: 'flat', arch: 'riscv64', bytes: file };
  }
  throw new BpfError('EINVAL', 'this is no kernel image', {
    value: `${file.length} bytes`,
    remedy: 'known are bzImage, arm64 and riscv64 Image, EFI zboot, and vmlinux ELF files',
  });
}

function bzImagePayload(reader: ByteReader): Uint8Array {
  const protocol = reader.u16(0x206);
  if (protocol < PAYLOAD_PROTOCOL) {
    throw new BpfError('EOPNOTSUPP', 'a bzImage that does not tell where its payload is', {
      offset: 0x206,
      value: `boot protocol ${protocol >> 8}.${protocol & 0xff}`,
      remedy: 'Linux 2.6.26 and later do',
    });
  }
  const setup = reader.u8(0x1f1) === 0 ? DEFAULT_SETUP_SECTORS : reader.u8(0x1f1);
  const start = (setup + 1) * SECTOR + reader.u32(0x248);
  // The last word is the size unpacked, which is no part of what was packed.
  const length = reader.u32(0x24c) - 4;
  if (length < 0) throw new BpfError('EINVAL', 'the payload of a bzImage is empty', { offset: 0x24c });
  return reader.slice(start, length);
}
