import { BpfError } from '../../../base/index.js';

const ascii = new TextDecoder();

/** Reads the WebAssembly binary format from front to back. What it cannot read is an EINVAL that names the offset. */
export class ByteCursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  byte(): number {
    if (this.done) this.fail('the module is cut short');
    return this.bytes[this.at++];
  }

  /** Unsigned LEB128 of up to 32 bits. */
  unsigned(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80 && value <= 0xffff_ffff) return value;
    }
    return this.fail('an integer of more than 32 bits', start);
  }

  /** Signed LEB128 of up to `bits` bits. */
  signed(bits: 32 | 64): bigint {
    const start = this.at;
    let value = 0n;
    for (let shift = 0n; shift < bits + 6; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      const result = BigInt.asIntN(Number(shift) + 7, value);
      if (result === BigInt.asIntN(bits, result)) return result;
      break;
    }
    return this.fail(`an integer of more than ${bits} bits`, start);
  }

  name(): string {
    return ascii.decode(this.slice(this.unsigned()).rest());
  }

  /** A cursor over the next `length` bytes, which are skipped. */
  slice(length: number): ByteCursor {
    const start = this.at;
    if (start + length > this.end) this.fail(`${length} bytes end behind what holds them`);
    this.at += length;
    return new ByteCursor(this.bytes, start, this.at);
  }

  rest(): Uint8Array {
    return this.bytes.subarray(this.at, this.end);
  }

  /** The value of each of so many items as the length in front of them says. */
  vector<T>(read: () => T): T[] {
    const count = this.unsigned();
    if (count > this.end - this.at) this.fail(`${count} items do not fit`);
    return Array.from({ length: count }, read);
  }

  fail(what: string, offset: number = this.at): never {
    throw new BpfError('EINVAL', `reading a WebAssembly module: ${what}`, { offset });
  }
}
