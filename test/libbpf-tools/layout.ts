/** Kinds of fields: sizes of integers, `i` with a sign, and texts of so many bytes. */
export type FieldKind = 'u32' | 'i32' | 'u64' | 'i64' | 'u8' | 'u16' | number;

/** Fields of a struct in their order. */
export type Layout = Readonly<Record<string, FieldKind>>;

type FieldValue<K> = K extends 'u64' | 'i64' ? bigint : K extends number ? string : number;
export type Decoded<L extends Layout> = { [F in keyof L]: FieldValue<L[F]> };

/**
 * A struct out of bytes, laid out as C does on a 64-bit machine. Several of the tools' structs are in no BTF, since
 * their programs never name them by pointer: their layouts are those of the tools' headers.
 */
export function decode<const L extends Layout>(layout: L, bytes: Uint8Array): Decoded<L> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Record<string, bigint | number | string> = {};
  let at = 0;
  for (const [name, kind] of Object.entries(layout)) {
    const size = typeof kind === 'number' ? kind : Number(kind.slice(1)) / 8;
    const align = typeof kind === 'number' ? 1 : size;
    at = Math.ceil(at / align) * align;
    fields[name] = typeof kind === 'number' ? text(bytes.subarray(at, at + size)) : integer(view, kind, at);
    at += size;
  }
  return fields as Decoded<L>;
}

function integer(view: DataView, kind: Exclude<FieldKind, number>, at: number): bigint | number {
  switch (kind) {
    case 'u64':
      return view.getBigUint64(at, true);
    case 'i64':
      return view.getBigInt64(at, true);
    case 'i32':
      return view.getInt32(at, true);
    case 'u32':
      return view.getUint32(at, true);
    case 'u16':
      return view.getUint16(at, true);
    default:
      return view.getUint8(at);
  }
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end));
}

/** Consecutive u32 of a histogram. */
export function slots(bytes: Uint8Array, count: number, offset = 0): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => view.getUint32(offset + 4 * i, true));
}
