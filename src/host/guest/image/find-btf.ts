import { BpfError } from '../../../base/index.js';
import { type Btf, parseBtf } from '../../../btf/index.js';

/** Types that any kernel's BTF has, and no object's or module's own: what tells it from other BTF in memory. */
const KERNEL_TYPES = ['task_struct', 'pt_regs', 'mm_struct'] as const;
const HEADER_BYTES = 24;

/** BTF of a kernel found in bytes that hold it. */
export interface FoundBtf {
  readonly offset: number;
  readonly size: number;
  readonly btf: Btf;
}

/** The kernel's BTF in an image or in a copy of its memory, by its magic and by what it holds; null where there is none. */
export function findBtf(bytes: Uint8Array): FoundBtf | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.indexOf(0x9f); at >= 0 && at + HEADER_BYTES <= bytes.length; at = bytes.indexOf(0x9f, at + 1)) {
    if (bytes[at + 1] !== 0xeb || bytes[at + 2] !== 1 || bytes[at + 3] !== 0) continue;
    const found = btfAt(bytes, view, at);
    if (found !== null) return found;
  }
  return null;
}

function btfAt(bytes: Uint8Array, view: DataView, offset: number): FoundBtf | null {
  const [header, , typeBytes, stringsAt, stringBytes] = [4, 8, 12, 16, 20].map((at) =>
    view.getUint32(offset + at, true),
  );
  const size = header + stringsAt + stringBytes;
  if (header !== HEADER_BYTES || typeBytes === 0 || offset + size > bytes.length) return null;
  try {
    const btf = parseBtf(bytes.subarray(offset, offset + size));
    return KERNEL_TYPES.every((name) => btf.findByName(name, 'struct') !== undefined) ? { offset, size, btf } : null;
  } catch (error) {
    if (error instanceof BpfError) return null;
    throw error;
  }
}
