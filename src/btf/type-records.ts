import { BpfError } from '../base/index.js';
import { BtfKindNumber, btfKindNames } from './kinds.js';

/** Words of a type's common header: name_off, info, size_or_type. */
export const RECORD_HEADER_WORDS = 3;

/**
 * The type section as 32-bit words in host order, and the word index at which each type starts.
 * `starts[0]` belongs to void and is unused.
 */
export interface TypeRecords {
  readonly words: Uint32Array;
  readonly starts: Uint32Array;
  readonly count: number;
}

export const recordKind = (info: number): number => (info >>> 24) & 0x1f;
export const recordCount = (info: number): number => info & 0xffff;
export const recordKindFlag = (info: number): boolean => info >>> 31 === 1;

/** How many words follow the header, by kind: a fixed part and a part per element. */
const layout: readonly (readonly [fixed: number, each: number] | null)[] = btfKindNames.map((kind) => {
  switch (kind) {
    case 'void':
      return null;
    case 'int':
    case 'var':
    case 'decl_tag':
      return [1, 0];
    case 'array':
      return [3, 0];
    case 'struct':
    case 'union':
    case 'datasec':
    case 'enum64':
      return [0, 3];
    case 'enum':
    case 'func_proto':
      return [0, 2];
    default:
      return [0, 0];
  }
});

/**
 * Finds the start of every type and checks what later decoding relies on: known kinds, records inside the
 * section, names inside the string table, referenced ids that exist. Sizes and cycles are left to queries.
 */
export function scanTypeRecords(words: Uint32Array, stringBytes: number, sectionOffset: number): TypeRecords {
  const scan = new RecordScan(words, stringBytes, sectionOffset);
  return scan.run();
}

class RecordScan {
  readonly #words: Uint32Array;
  readonly #stringBytes: number;
  readonly #sectionOffset: number;
  #highestReference = 0;
  #highestReferenceAt = 0;

  constructor(words: Uint32Array, stringBytes: number, sectionOffset: number) {
    this.#words = words;
    this.#stringBytes = stringBytes;
    this.#sectionOffset = sectionOffset;
  }

  run(): TypeRecords {
    const words = this.#words;
    const starts = new Uint32Array(Math.floor(words.length / RECORD_HEADER_WORDS) + 1);
    let count = 1;
    let at = 0;
    while (at < words.length) {
      starts[count++] = at;
      at = this.#record(at);
    }
    if (this.#highestReference >= count) {
      throw this.#error(
        'BTF refers to a type that does not exist',
        this.#highestReferenceAt,
        `there are ${count} types`,
      );
    }
    return { words, starts: starts.slice(0, count), count };
  }

  /** Checks one record and returns where the next one starts. */
  #record(at: number): number {
    const words = this.#words;
    if (at + RECORD_HEADER_WORDS > words.length)
      throw this.#error('BTF type record is cut short', at, 'the section is truncated');
    const info = words[at + 1];
    const kind = recordKind(info);
    const shape = layout[kind];
    if (shape === undefined || shape === null) {
      throw this.#error(`BTF type has the unknown kind ${kind}`, at + 1, 'the BTF is corrupt or of a newer format');
    }
    const elements = shape[1] === 0 ? 0 : recordCount(info);
    const end = at + RECORD_HEADER_WORDS + shape[0] + shape[1] * elements;
    if (end > words.length)
      throw this.#error('BTF type record runs past the type section', at + 1, 'the section is truncated');
    this.#name(at);
    this.#references(kind, at, end);
    return end;
  }

  #references(kind: number, at: number, end: number): void {
    const body = at + RECORD_HEADER_WORDS;
    switch (kind) {
      case BtfKindNumber.ptr:
      case BtfKindNumber.typedef:
      case BtfKindNumber.volatile:
      case BtfKindNumber.const:
      case BtfKindNumber.restrict:
      case BtfKindNumber.func:
      case BtfKindNumber.var:
      case BtfKindNumber.decl_tag:
      case BtfKindNumber.type_tag:
        this.#type(at + 2);
        return;
      case BtfKindNumber.array:
        this.#type(body);
        this.#type(body + 1);
        return;
      case BtfKindNumber.func_proto:
        this.#type(at + 2);
        for (let i = body; i < end; i += 2) this.#nameAndType(i);
        return;
      case BtfKindNumber.struct:
      case BtfKindNumber.union:
        for (let i = body; i < end; i += 3) this.#nameAndType(i);
        return;
      case BtfKindNumber.enum:
        for (let i = body; i < end; i += 2) this.#name(i);
        return;
      case BtfKindNumber.enum64:
        for (let i = body; i < end; i += 3) this.#name(i);
        return;
      case BtfKindNumber.datasec:
        for (let i = body; i < end; i += 3) this.#type(i);
        return;
      default:
    }
  }

  #nameAndType(at: number): void {
    this.#name(at);
    this.#type(at + 1);
  }

  #name(at: number): void {
    if (this.#words[at] >= this.#stringBytes) {
      throw this.#error('BTF name lies outside the string table', at, `the table holds ${this.#stringBytes} bytes`);
    }
  }

  #type(at: number): void {
    const id = this.#words[at];
    if (id > this.#highestReference) {
      this.#highestReference = id;
      this.#highestReferenceAt = at;
    }
  }

  #error(what: string, word: number, remedy: string): BpfError {
    return new BpfError('EINVAL', what, {
      section: '.BTF',
      offset: this.#sectionOffset + word * 4,
      value: this.#words[word],
      remedy,
    });
  }
}
