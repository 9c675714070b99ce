/** What a test wants in a kernel's symbol tables, sorted by address. */
export interface BuiltSymbol {
  readonly name: string;
  readonly type: string;
  readonly address: bigint;
}

export interface KallsymsShape {
  /** `old`: up to Linux 6.3, `new`: since 6.4, `middle`: 6.2 and 6.3 with kallsyms_seqs_of_names before the tokens. */
  readonly order: 'old' | 'middle' | 'new';
  readonly pointerSize: 4 | 8;
  /** Absolute per-CPU symbols: those below `base` are kept as they are, the others count backwards. */
  readonly absolutePercpu: boolean;
  readonly base: bigint;
}

const DIGRAPHS = ['__', '_t', 'ro', 'in', 'er', 'sys', 'et_', 'vfs'];

/** The tables as scripts/kallsyms.c lays them out, names compressed with a few tokens of our own choice. */
export function buildKallsyms(symbols: readonly BuiltSymbol[], shape: KallsymsShape): Uint8Array {
  const { order, pointerSize } = shape;
  const tokens = Array.from({ length: 256 }, (_, i) => (i >= 0x21 && i < 0x7f ? String.fromCharCode(i) : `<${i}>`));
  for (const [i, digraph] of DIGRAPHS.entries()) tokens[128 + i] = digraph;
  const out = new Section(pointerSize);
  const offsets = (): void => {
    for (const symbol of symbols) out.u32(offsetOf(symbol.address, shape));
    out.align();
    if (pointerSize === 8) out.u64(shape.base);
    else out.u32(Number(shape.base));
    out.align();
  };
  if (order !== 'new') offsets();
  out.u32(symbols.length);
  out.align();
  const start = out.length;
  const markers: number[] = [];
  for (const [i, { name, type }] of symbols.entries()) {
    if (i % 256 === 0) markers.push(out.length - start);
    const packed = compress(type + name, tokens);
    if (packed.length < 128) out.push(packed.length);
    else out.push((packed.length & 0x7f) | 0x80, packed.length >> 7);
    out.push(...packed);
  }
  out.align();
  for (const marker of markers) out.u32(marker);
  out.align();
  const sequences = (): void => {
    for (const i of symbols.keys()) out.push(i >> 16, i >> 8, i);
    out.align();
  };
  if (order === 'middle') sequences();
  const table = out.length;
  const index: number[] = [];
  for (const token of tokens) {
    index.push(out.length - table);
    out.push(...new TextEncoder().encode(token), 0);
  }
  out.align();
  for (const offset of index) out.push(offset, offset >> 8);
  out.align();
  if (order === 'new') {
    offsets();
    sequences();
  }
  return out.bytes();
}

function offsetOf(address: bigint, { absolutePercpu, base }: KallsymsShape): number {
  if (!absolutePercpu) return Number(address - base);
  return address < base ? Number(address) : Number(base - 1n - address);
}

function compress(text: string, tokens: readonly string[]): number[] {
  const packed: number[] = [];
  for (let at = 0; at < text.length;) {
    const digraph = DIGRAPHS.find((each) => text.startsWith(each, at));
    const token = digraph ?? text[at];
    packed.push(tokens.lastIndexOf(token));
    at += token.length;
  }
  return packed;
}

class Section {
  readonly #bytes: number[] = [];
  readonly #alignment: number;

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  get length(): number {
    return this.#bytes.length;
  }

  push(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte & 0xff);
  }

  u32(value: number): void {
    this.push(value, value >> 8, value >> 16, value >> 24);
  }

  u64(value: bigint): void {
    this.u32(Number(BigInt.asIntN(32, value)));
    this.u32(Number(BigInt.asIntN(32, value >> 32n)));
  }

  align(): void {
    while (this.#bytes.length % this.#alignment !== 0) this.#bytes.push(0);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
