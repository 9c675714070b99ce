/** Field of a conversion: the `[0 +-][width]` part. */
export interface FieldSpec {
  readonly left: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** -1 where none is given. */
  readonly width: number;
}

/**
 * The buffer that vsnprintf() writes to: bytes past its end are counted and dropped, so that the result
 * tells the length the whole text would have.
 */
export class FormatOutput {
  readonly bytes: Uint8Array;
  length = 0;

  /** `limit` excludes the terminating NUL. */
  constructor(limit: number) {
    this.bytes = new Uint8Array(Math.max(limit, 0));
  }

  /** What fitted. */
  get text(): Uint8Array {
    return this.bytes.subarray(0, Math.min(this.length, this.bytes.length));
  }

  byte(value: number): void {
    if (this.length < this.bytes.length) this.bytes[this.length] = value;
    this.length++;
  }

  ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  pad(count: number, fill: string): void {
    if (count <= 0) return;
    this.bytes.fill(fill.charCodeAt(0), this.length, this.length + count);
    this.length += count;
  }

  /**
   * Text that was made while the arguments were collected. It has no field, and behind the end of the
   * buffer it is not even counted: bstr_printf() does so.
   */
  prepared(bytes: Uint8Array): void {
    if (this.length > this.bytes.length) return;
    for (const byte of bytes) this.byte(byte);
  }

  /** A string in its field, padded with blanks. */
  string(bytes: Uint8Array, field: FieldSpec): void {
    const padding = field.width - bytes.length;
    if (!field.left) this.pad(padding, ' ');
    for (const byte of bytes) this.byte(byte);
    if (field.left) this.pad(padding, ' ');
  }

  /** Digits with their sign in their field. */
  number(digits: string, negative: boolean, signed: boolean, field: FieldSpec): void {
    const positive = field.plus ? '+' : field.space ? ' ' : '';
    const sign = negative ? '-' : signed ? positive : '';
    const padding = field.width - sign.length - digits.length;
    const zeros = field.zero && !field.left;
    if (!field.left && !zeros) this.pad(padding, ' ');
    this.ascii(sign);
    if (zeros) this.pad(padding, '0');
    this.ascii(digits);
    if (field.left) this.pad(padding, ' ');
  }
}
