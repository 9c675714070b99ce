import { readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '../../src/btf/index.js';

/** Bytes of committed BTF: `target` and `target-big-endian` are test/testdata/objects/src/target.c. */
export function btfBytes(name: string): Uint8Array {
  return readFileSync(new URL(`../testdata/btf/${name}.btf`, import.meta.url));
}

export const readBtf = (name: string): Btf => parseBtf(btfBytes(name));

type Word = number;

/** A little-endian BTF blob made of type records and strings, for types that no compiler would write. */
export function blob(records: readonly (readonly Word[])[], strings: readonly string[] = []): Uint8Array {
  const text = new TextEncoder().encode(`\0${strings.map((each) => `${each}\0`).join('')}`);
  const words = records.flat();
  const bytes = new Uint8Array(24 + words.length * 4 + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [24, 0, words.length * 4, words.length * 4, text.length].forEach((value, i) =>
    view.setUint32(4 + 4 * i, value, true),
  );
  words.forEach((word, i) => view.setUint32(24 + 4 * i, word, true));
  bytes.set(text, 24 + words.length * 4);
  return bytes;
}

/** Second word of a record. */
export const info = (kind: number, count = 0, flag = 0): Word => ((flag << 31) | (kind << 24) | count) >>> 0;
