import { parseBtf, type Btf } from '../../src/btf/index.js';

const KIND_PTR = 2;
const KIND_TYPEDEF = 8;
const KIND_FUNC_PROTO = 13;

/** BTF with one `btf_trace_NAME` per entry: a pointer to a function of `void *data` and that many further arguments. */
export function tracepointBtf(argCounts: Readonly<Record<string, number>>): Btf {
  const words: number[] = [];
  let strings = '\0';
  let count = 0;
  const addType = (name: string, kind: number, vlen: number, typeId: number, extra: readonly number[] = []): number => {
    const offset = name === '' ? 0 : strings.length;
    if (name !== '') strings += `${name}\0`;
    words.push(offset, (kind << 24) | vlen, typeId, ...extra);
    return ++count;
  };
  const voidPointer = addType('', KIND_PTR, 0, 0);
  for (const [name, args] of Object.entries(argCounts)) {
    const params = Array.from({ length: args + 1 }, () => [0, voidPointer]).flat();
    const proto = addType('', KIND_FUNC_PROTO, args + 1, 0, params);
    addType(`btf_trace_${name}`, KIND_TYPEDEF, 0, addType('', KIND_PTR, 0, proto));
  }
  addType('btf_trace_no_function', KIND_TYPEDEF, 0, voidPointer);
  return parseBtf(encode(words, strings));
}

function encode(words: readonly number[], strings: string): Uint8Array {
  const header = 24;
  const types = words.length * 4;
  const bytes = new Uint8Array(header + types + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [header, 0, types, types, strings.length].forEach((word, i) => view.setUint32(4 + 4 * i, word, true));
  words.forEach((word, i) => view.setUint32(header + 4 * i, word, true));
  bytes.set(new TextEncoder().encode(strings), header + types);
  return bytes;
}
