import { BpfError, ByteReader } from '../../../base/index.js';

const PT_LOAD = 1;
const SECTION = 'kernel ELF';
/** No kernel has that much memory of its own; more is a corrupt header. */
const MAX_IMAGE_BYTES = 1 << 29;
const MACHINES: ReadonlyMap<number, 'i386' | 'x86_64' | 'arm64' | 'riscv64' | 'loongarch64'> = new Map([
  [3, 'i386'],
  [62, 'x86_64'],
  [183, 'arm64'],
  [243, 'riscv64'],
  [258, 'loongarch64'],
]);

/** A kernel's ELF file as it lies in memory: what is loaded, by physical address. */
export interface ElfImage {
  readonly arch: 'i386' | 'x86_64' | 'arm64' | 'riscv64' | 'loongarch64';
  /** From the lowest physical address on; what no segment fills is 0. */
  readonly bytes: Uint8Array;
  readonly physicalBase: bigint;
  /** Virtual address that the first byte is linked for. */
  readonly virtualBase: bigint;
  readonly littleEndian: boolean;
}

interface Segment {
  readonly offset: number;
  readonly virtual: bigint;
  readonly physical: bigint;
  readonly size: number;
}

/** Lays out the PT_LOAD segments of a vmlinux. Corrupt files are an EINVAL `BpfError`. */
export function layOutElf(file: Uint8Array): ElfImage {
  const wide = file[4] === 2;
  const reader = new ByteReader(file, file[5] !== 2, SECTION);
  const arch = MACHINES.get(reader.u16(18));
  if (arch === undefined) {
    throw new BpfError('EOPNOTSUPP', 'a kernel of an unknown machine', { offset: 18, value: reader.u16(18) });
  }
  const segments = readSegments(reader, wide);
  if (segments.length === 0) throw new BpfError('EINVAL', 'a kernel without PT_LOAD segments', { section: SECTION });
  const first = segments.reduce((a, b) => (b.physical < a.physical ? b : a));
  const end = segments.reduce((max, { physical, size }) => {
    const last = physical + BigInt(size);
    return last > max ? last : max;
  }, 0n);
  const total = end - first.physical;
  if (total > BigInt(MAX_IMAGE_BYTES)) {
    throw new BpfError('EINVAL', 'the segments of a kernel lie too far apart', { section: SECTION, value: total });
  }
  const bytes = new Uint8Array(Number(total));
  for (const { offset, physical, size } of segments) {
    bytes.set(reader.slice(offset, size), Number(physical - first.physical));
  }
  return {
    arch,
    bytes,
    physicalBase: first.physical,
    virtualBase: first.virtual,
    littleEndian: reader.littleEndian,
  };
}

function readSegments(reader: ByteReader, wide: boolean): Segment[] {
  const table = wide ? reader.size64(32, 'e_phoff') : reader.u32(28);
  const entry = reader.u16(wide ? 54 : 42);
  const count = reader.u16(wide ? 56 : 44);
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entry;
    if (reader.u32(at) !== PT_LOAD) continue;
    const segment = wide
      ? {
          offset: reader.size64(at + 8, 'p_offset'),
          virtual: reader.u64(at + 16),
          physical: reader.u64(at + 24),
          size: reader.size64(at + 32, 'p_filesz'),
        }
      : {
          offset: reader.u32(at + 4),
          virtual: BigInt(reader.u32(at + 8)),
          physical: BigInt(reader.u32(at + 12)),
          size: reader.u32(at + 16),
        };
    if (segment.size > 0) segments.push(segment);
  }
  return segments;
}

/** Whether the bytes begin as an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}
