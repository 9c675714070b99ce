import { BpfError } from '../base/index.js';

const utf8 = new TextDecoder('utf-8');
const oneCharPerByte = new TextDecoder('latin1');

/**
 * The string section of a BTF blob. Strings are cut lazily out of one decoded text, because a kernel's
 * table holds more than a hundred thousand of them and a query touches a few.
 */
export class BtfStringTable {
  readonly #bytes: Uint8Array;
  readonly #text: string;

  /** `bytes` must start and end with NUL; `parseBtf` has checked it. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#text = oneCharPerByte.decode(bytes);
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  at(offset: number): string {
    if (!(offset >= 0 && offset < this.#bytes.byteLength)) {
      throw new BpfError('EINVAL', 'BTF string offset lies outside the string table', {
        section: '.BTF',
        value: offset,
        remedy: `the table holds ${this.#bytes.byteLength} bytes; the BTF is corrupt`,
      });
    }
    const end = this.#text.indexOf('\0', offset);
    const text = this.#text.substring(offset, end);
    return isAscii(text) ? text : utf8.decode(this.#bytes.subarray(offset, end));
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return false;
  return true;
}
