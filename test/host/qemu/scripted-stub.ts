import { encodeRspPacket, RspDecoder, type RspTransport } from '../../../src/host/qemu/index.js';

/** A gdb stub for tests: answers each request by a function, at once. What it was asked is kept. */
export class ScriptedStub implements RspTransport {
  readonly asked: string[] = [];
  /** Interrupts and acknowledgements that came outside of packets. */
  readonly raw: number[] = [];
  readonly #answer: (request: string) => string | null;
  readonly #decoder = new RspDecoder();
  #pending: Uint8Array[] = [];
  #closed = false;

  /** `answer` gives a payload, or null for none. */
  constructor(answer: (request: string) => string | null) {
    this.#answer = answer;
  }

  /** Sends a packet unasked. */
  say(payload: string): void {
    this.#pending.push(encodeRspPacket(payload));
  }

  /** Sends bytes as they are. */
  sayBytes(text: string): void {
    this.#pending.push(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  }

  send(bytes: Uint8Array): void {
    if (bytes.length === 1) this.raw.push(bytes[0]);
    for (const item of this.#decoder.push(bytes)) {
      if (item.kind !== 'packet') continue;
      const request = String.fromCharCode(...item.payload);
      this.asked.push(request);
      const answer = this.#answer(request);
      if (answer !== null) this.say(answer);
    }
  }

  receive(): Uint8Array | null {
    if (this.#closed) throw new Error('closed');
    return this.#pending.shift() ?? null;
  }

  close(): void {
    this.#closed = true;
  }
}
