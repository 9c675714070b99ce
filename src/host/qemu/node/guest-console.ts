import type { QemuConsole, RspTransport } from '../index.js';

/** A guest's serial line. What the guest prints is kept from its first byte on. */
export class GuestConsole implements QemuConsole {
  readonly #transport: RspTransport;
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  #text: string;
  #ended = false;

  /** `before` is what the guest printed to somebody else. */
  constructor(transport: RspTransport, before = '') {
    this.#transport = transport;
    this.#text = before;
  }

  /** All that was printed so far; line ends as the guest sends them. */
  get text(): string {
    this.#take();
    return this.#text;
  }

  /** Types `text` on the line. */
  write(text: string): void {
    this.#transport.send(this.#encoder.encode(text));
  }

  close(): void {
    this.#transport.close();
  }

  #take(): void {
    if (this.#ended) return;
    try {
      for (;;) {
        const bytes = this.#transport.receive(0);
        if (bytes === null) return;
        this.#text += this.#decoder.decode(bytes, { stream: true });
      }
    } catch {
      // The emulator is gone; what it said is kept.
      this.#ended = true;
    }
  }
}
