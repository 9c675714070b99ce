/** One loaded part of a kernel: `gap` pages behind the part before. */
export interface ImagePart {
  readonly gap: number;
  readonly bytes: Uint8Array;
}

const PAGE = 4096;
const PHYSICAL = 0x100_0000;

/** A vmlinux with a segment per part, and memory as it must come out. */
export function buildElf(parts: readonly ImagePart[], wide: boolean): { file: Uint8Array; memory: Uint8Array } {
  const [header, entry] = wide ? [64, 56] : [52, 32];
  const file = new Uint8Array(
    header + (parts.length + 1) * entry + parts.reduce((n, { bytes }) => n + bytes.length, 0),
  );
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(18, wide ? 62 : 3, true);
  if (wide) view.setBigUint64(32, BigInt(header), true);
  else view.setUint32(28, header, true);
  view.setUint16(wide ? 54 : 42, entry, true);
  view.setUint16(wide ? 56 : 44, parts.length + 1, true);
  // A note first: what is not PT_LOAD is passed by.
  view.setUint32(header, 4, true);
  const memory: number[] = [];
  let from = header + (parts.length + 1) * entry;
  for (const [i, { gap, bytes }] of parts.entries()) {
    const distance = i === 0 ? 0 : Math.ceil(memory.length / PAGE) * PAGE + gap * PAGE;
    while (memory.length < distance) memory.push(0);
    const at = header + (i + 1) * entry;
    view.setUint32(at, 1, true);
    if (wide) {
      const link = 0xffff_ffff_8100_0000n + BigInt(distance);
      for (const [offset, value] of [
        [8, BigInt(from)],
        [16, link],
        [24, BigInt(PHYSICAL + distance)],
        [32, BigInt(bytes.length)],
      ] as const) {
        view.setBigUint64(at + offset, value, true);
      }
    } else {
      for (const [offset, value] of [
        [4, from],
        [8, 0xc100_0000 + distance],
        [12, PHYSICAL + distance],
        [16, bytes.length],
      ] as const) {
        view.setUint32(at + offset, value, true);
      }
    }
    file.set(bytes, from);
    from += bytes.length;
    memory.push(...bytes);
  }
  return { file, memory: Uint8Array.from(memory) };
}

/** A bzImage of boot protocol 2.15 with that payload, and the size unpacked behind it. */
export function buildBzImage(payload: Uint8Array, unpackedSize: number): Uint8Array {
  const setupSectors = 2;
  const offset = 100;
  const start = (setupSectors + 1) * 512 + offset;
  const file = new Uint8Array(start + payload.length + 4 + 50);
  const view = new DataView(file.buffer);
  file[0x1f1] = setupSectors;
  file.set(new TextEncoder().encode('HdrS'), 0x202);
  view.setUint16(0x206, 0x20f, true);
  view.setUint32(0x248, offset, true);
  view.setUint32(0x24c, payload.length + 4, true);
  file.set(payload, start);
  view.setUint32(start + payload.length, unpackedSize, true);
  return file;
}

/** Greedy LZ4: matches of four bytes and more, found by looking back. Blocks must be small. */
export function packLz4Legacy(blocks: readonly Uint8Array[]): Uint8Array {
  const out: number[] = [0x02, 0x21, 0x4c, 0x18];
  for (const block of blocks) {
    if (block.length === 0) continue;
    const packed = packBlock(block);
    out.push(packed.length & 0xff, (packed.length >> 8) & 0xff, (packed.length >> 16) & 0xff, 0, ...packed);
  }
  return Uint8Array.from(out);
}

function packBlock(data: Uint8Array): number[] {
  const out: number[] = [];
  const seen = new Map<number, number>();
  let literalsFrom = 0;
  // The last bytes of a block are literals.
  for (let at = 0; at + 12 < data.length;) {
    const key = data[at] | (data[at + 1] << 8) | (data[at + 2] << 16) | (data[at + 3] << 24);
    const match = seen.get(key);
    seen.set(key, at);
    if (match === undefined || at - match > 0xffff) {
      at++;
      continue;
    }
    let length = 4;
    while (at + length < data.length - 5 && data[match + length] === data[at + length]) length++;
    emit(out, data.subarray(literalsFrom, at), length, at - match);
    at += length;
    literalsFrom = at;
  }
  emit(out, data.subarray(literalsFrom), 0, 0);
  return out;
}

function emit(out: number[], literals: Uint8Array, length: number, distance: number): void {
  const more = length === 0 ? 0 : length - 4;
  out.push((Math.min(15, literals.length) << 4) | Math.min(15, more));
  extend(out, literals.length);
  out.push(...literals);
  if (length === 0) return;
  out.push(distance & 0xff, distance >> 8);
  extend(out, more);
}

function extend(out: number[], value: number): void {
  if (value < 15) return;
  let rest = value - 15;
  for (; rest >= 255; rest -= 255) out.push(255);
  out.push(rest);
}
