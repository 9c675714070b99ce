const NEWLINE = 10;
const RETURN = 13;

/** How a kernel begins to say that it gave up; `[ time] ` may stand before it. */
const LAST_WORDS =
  /^(?:\[[^\]]*\] )?(?:BUG: |Oops: |Kernel panic - |Unable to handle |general protection fault|int3: )/;
/** Lines shown of it. */
const OOPS_LINES = 40;

/** What a machine prints on its first serial port, and whether its kernel said that it gave up. */
export class V86Console {
  #done = '';
  #line: number[] = [];
  #oops: string[] | null = null;
  readonly #decoder = new TextDecoder();

  /** Takes one byte. */
  readonly put = (byte: number): void => {
    if (byte === RETURN) return;
    if (byte !== NEWLINE) {
      this.#line.push(byte);
      return;
    }
    const line = this.#decoder.decode(Uint8Array.from(this.#line));
    this.#line = [];
    this.#done += `${line}\n`;
    if (this.#oops === null && LAST_WORDS.test(line)) this.#oops = [];
    if (this.#oops !== null && this.#oops.length < OOPS_LINES) this.#oops.push(line);
  };

  get text(): string {
    return this.#done + this.#decoder.decode(Uint8Array.from(this.#line));
  }

  /** The kernel's last words, or null. */
  get oops(): string | null {
    return this.#oops === null ? null : this.#oops.join('\n');
  }
}
