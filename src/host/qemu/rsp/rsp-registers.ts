import { BpfError } from '../../../base/index.js';

/** One register of a `g` packet. */
export interface RspRegister {
  readonly name: string;
  readonly bits: number;
  /** Number for `p` and `P`. */
  readonly number: number;
  /** Bytes from the start of a `g` packet. */
  readonly offset: number;
}

const MARKUP = /<xi:include\s+[^>]*?href\s*=\s*"([^"]*)"[^>]*>|<reg\s+([^>]*?)\/?>/g;
const ATTRIBUTE = /([\w-]+)\s*=\s*"([^"]*)"/g;
/** An include that includes itself would have no end. */
const DOCUMENTS_MAX = 64;
const REGISTERS_MAX = 4096;
const BITS_MAX = 65_536;

interface Described {
  readonly name: string;
  readonly bits: number;
  number: number;
}

/**
 * The registers a target description declares, in the order of a `g` packet. `read` gives the document of a name; it is
 * asked for `target.xml` and for all that is included. EPROTO for a description that cannot be used.
 */
export function parseRspRegisters(read: (document: string) => string): ReadonlyMap<string, RspRegister> {
  const all: Described[] = [];
  collect('target.xml', read, all, { documents: 0 });
  let next = 0;
  for (const register of all) {
    if (register.number < 0) register.number = next;
    next = register.number + 1;
  }
  const registers = new Map<string, RspRegister>();
  let offset = 0;
  for (const { name, bits, number } of all.toSorted((a, b) => a.number - b.number)) {
    if (!registers.has(name)) registers.set(name, { name, bits, number, offset });
    offset += bits >> 3;
  }
  return registers;
}

function collect(
  document: string,
  read: (document: string) => string,
  out: Described[],
  seen: { documents: number },
): void {
  if (++seen.documents > DOCUMENTS_MAX) throw unusable(document, `it includes more than ${DOCUMENTS_MAX} documents`);
  for (const [, include, attributes] of read(document).matchAll(MARKUP)) {
    if (include !== undefined) collect(include, read, out, seen);
    else out.push(described(attributes ?? '', document));
    if (out.length > REGISTERS_MAX) throw unusable(document, `it has more than ${REGISTERS_MAX} registers`);
  }
}

function described(text: string, document: string): Described {
  const attributes = new Map<string, string>();
  for (const [, name, value] of text.matchAll(ATTRIBUTE)) attributes.set(name, value);
  const name = attributes.get('name');
  const bits = wholeNumber(attributes.get('bitsize'));
  const number = attributes.has('regnum') ? wholeNumber(attributes.get('regnum')) : -1;
  if (name === undefined) throw unusable(document, 'a register has no name');
  if (!(bits > 0 && bits <= BITS_MAX && bits % 8 === 0)) {
    throw unusable(document, `register ${name} has ${attributes.get('bitsize') ?? 'no'} bits`);
  }
  if (Number.isNaN(number)) throw unusable(document, `register ${name} has number ${attributes.get('regnum') ?? ''}`);
  return { name, bits, number };
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

function unusable(document: string, why: string): BpfError {
  return new BpfError('EPROTO', 'reading the target description of a gdb stub', { section: document, remedy: why });
}
