import { BpfError } from '../base/index.js';
import { RECORD_HEADER_WORDS, recordCount, recordKind, recordShapes } from './record-shape.js';

/** The type section as 32-bit words in host order, and where in it each type starts. */
export interface TypeRecords {
  readonly words: Uint32Array;
  /** Word index of type `firstId + i`. */
  readonly starts: Uint32Array;
  /** Id of the first type: 1, or what the base BTF of split BTF leaves. */
  readonly firstId: number;
}

/** What surrounds a type section: the ids and string offsets that its records may name. */
export interface RecordLimits {
  readonly firstId: number;
  /** End of the string table, a base's strings included. */
  readonly stringsEnd: number;
  /** Place of the section in the blob, for errors. */
  readonly sectionOffset: number;
}

/**
 * Finds the start of every type and checks what later decoding relies on: known kinds, records inside the
 * section, names inside the string table, referenced ids that exist. Sizes and cycles are left to queries.
 */
export function scanTypeRecords(words: Uint32Array, limits: RecordLimits): TypeRecords {
  return new RecordScan(words, limits).run();
}

class RecordScan {
  readonly #words: Uint32Array;
  readonly #limits: RecordLimits;
  #highestReference = 0;
  #highestReferenceAt = 0;

  constructor(words: Uint32Array, limits: RecordLimits) {
    this.#words = words;
    this.#limits = limits;
  }

  run(): TypeRecords {
    const words = this.#words;
    const { firstId } = this.#limits;
    const starts = new Uint32Array(Math.ceil(words.length / RECORD_HEADER_WORDS));
    let count = 0;
    let at = 0;
    while (at < words.length) {
      starts[count++] = at;
      at = this.#record(at);
    }
    const end = firstId + count;
    if (this.#highestReference >= end) {
      throw this.#error('BTF refers to a type that does not exist', this.#highestReferenceAt, `there are ${end} types`);
    }
    return { words, starts: starts.slice(0, count), firstId };
  }

  /** Checks one record and returns where the next one starts. */
  #record(at: number): number {
    const words = this.#words;
    if (at + RECORD_HEADER_WORDS > words.length)
      throw this.#error('BTF type record is cut short', at, 'the section is truncated');
    const info = words[at + 1];
    const kind = recordKind(info);
    const shape = recordShapes[kind];
    if (shape === undefined) {
      throw this.#error(`BTF type has the unknown kind ${kind}`, at + 1, 'the BTF is corrupt or of a newer format');
    }
    const { headerType, fixed, fixedTypes, each, eachName, eachType } = shape;
    const body = at + RECORD_HEADER_WORDS;
    const end = body + fixed + (each === 0 ? 0 : each * recordCount(info));
    if (end > words.length)
      throw this.#error('BTF type record runs past the type section', at + 1, 'the section is truncated');
    this.#name(at);
    if (headerType) this.#type(at + 2);
    for (let i = 0; i < fixedTypes; i++) this.#type(body + i);
    if (each === 0) return end;
    for (let i = body + fixed; i < end; i += each) {
      if (eachName >= 0) this.#name(i + eachName);
      if (eachType >= 0) this.#type(i + eachType);
    }
    return end;
  }

  #name(at: number): void {
    const { stringsEnd } = this.#limits;
    if (this.#words[at] >= stringsEnd) {
      throw this.#error('BTF name lies outside the string table', at, `the table holds ${stringsEnd} bytes`);
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
      offset: this.#limits.sectionOffset + word * 4,
      value: this.#words[word],
      remedy,
    });
  }
}
