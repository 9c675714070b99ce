import { BpfError, toHex } from '../../../base/index.js';
import { fromRspHex } from './rsp-hex.js';
import { encodeRspPacket, fromLatin1, RSP_ACK, RSP_INTERRUPT, RspDecoder } from './rsp-packet.js';
import { parseRspRegisters, type RspRegister } from './rsp-registers.js';
import { isRspStop, parseRspStop, rspConsole, type RspStop } from './rsp-stop-reply.js';
import type { RspTransport } from './rsp-transport.js';

export interface RspClientOptions {
  /** How long to wait for the answer to a request, 10 000 if absent. */
  readonly timeoutMs?: number;
  /** Hears the console text of `O` packets. */
  readonly onConsole?: (text: string) => void;
}

/** Bytes of memory in one packet where the stub does not say what it takes. */
const DEFAULT_PACKET = 400;

/**
 * A client of a gdb stub, synchronous: a request returns its answer. While the guest runs (`resume` to `waitStop`) only
 * `interrupt` and `waitStop` may be called.
 *
 * It never acknowledges: a `+` that reaches QEMU while its machine runs stops the machine, and QEMU does not wait for one.
 * Stubs that do are asked to go without (`QStartNoAckMode`).
 */
export class RspClient {
  readonly #transport: RspTransport;
  readonly #timeoutMs: number;
  readonly #onConsole: (text: string) => void;
  readonly #decoder = new RspDecoder();
  readonly #packets: string[] = [];
  #features: ReadonlyMap<string, string> = new Map();
  #running = false;
  /** The request that got no answer in time: what comes later would be taken for another's. */
  #unanswered: string | null = null;
  #binaryWrites: boolean | undefined;
  #thread = '';

  constructor(transport: RspTransport, options: RspClientOptions = {}) {
    this.#transport = transport;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#onConsole = options.onConsole ?? (() => {});
  }

  /**
   * Greets the stub and learns what it can do. QEMU stops a running machine when a client connects and says so unasked:
   * whatever comes before the answer is dropped. Afterwards the machine stands still.
   */
  start(): void {
    this.#transport.send(RSP_ACK);
    this.#send('qSupported:swbreak+;hwbreak+;vContSupported+;xmlRegisters=i386');
    let answer = this.#next('qSupported');
    while (isRspStop(answer)) answer = this.#next('qSupported');
    this.#features = parseFeatures(answer);
    if (this.#features.get('QStartNoAckMode') !== '+') return;
    this.#transport.send(RSP_ACK);
    this.expectOk('QStartNoAckMode');
    this.#transport.send(RSP_ACK);
  }

  /** What the stub said of a feature: `+`, `-`, a value, or undefined. */
  feature(name: string): string | undefined {
    return this.#features.get(name);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Sends a request and returns its answer, '' where the stub does not know it. ETIMEDOUT, and EPIPE ever after; EPROTO. */
  request(payload: string): string {
    if (this.#running)
      throw new BpfError('EBUSY', `asking the gdb stub ${payload.slice(0, 20)}`, {
        remedy: 'the guest runs: stop it first',
      });
    this.#needStep(payload);
    this.#send(payload);
    return this.#next(payload);
  }

  /** Sends several requests at once; their answers in order. */
  requests(payloads: readonly string[]): string[] {
    this.#needStep(payloads.join(' '));
    for (const payload of payloads) this.#send(payload);
    return payloads.map((payload) => this.#next(payload));
  }

  /** A request whose answer must be OK. */
  expectOk(payload: string): void {
    expectOk(payload, this.request(payload));
  }

  /** Registers of the stub's target description; EOPNOTSUPP where it has none. */
  readRegisters(): ReadonlyMap<string, RspRegister> {
    return parseRspRegisters((document) => this.#transfer('features', document));
  }

  /** Threads as the stub names them: with QEMU, CPU n is thread n + 1. */
  threads(): string[] {
    const threads: string[] = [];
    let answer = this.request('qfThreadInfo');
    while (answer.startsWith('m')) {
      threads.push(
        ...answer
          .slice(1)
          .split(',')
          .filter((name) => name !== ''),
      );
      if (threads.length > 4096)
        throw new BpfError('EPROTO', 'listing the threads of a gdb stub', { remedy: 'it names no end' });
      answer = this.request('qsThreadInfo');
    }
    return threads;
  }

  /** The `g` packet of a thread. */
  registersOf(thread: string): Uint8Array {
    this.#select(thread);
    return fromRspHex(this.request('g').replaceAll('x', '0'), 'registers');
  }

  writeRegistersOf(thread: string, bytes: Uint8Array): void {
    this.#select(thread);
    this.expectOk(`G${toHex(bytes)}`);
  }

  /** One register, its bytes in the target's order. */
  registerOf(thread: string, { number }: RspRegister): Uint8Array {
    this.#select(thread);
    return fromRspHex(this.request(`p${number.toString(16)}`), 'a register');
  }

  writeRegisterOf(thread: string, { number }: RspRegister, bytes: Uint8Array): void {
    this.#select(thread);
    this.expectOk(`P${number.toString(16)}=${toHex(bytes)}`);
  }

  /** `length` bytes at `address`; null is a fault. */
  readMemory(address: bigint, length: number): Uint8Array | null {
    const bytes = new Uint8Array(length);
    const most = this.#memoryPerPacket;
    for (let done = 0; done < length;) {
      const size = Math.min(most, length - done);
      const answer = this.request(`m${place(address, done)},${size.toString(16)}`);
      if (answer.startsWith('E')) return null;
      const part = fromRspHex(answer, 'memory');
      if (part.length === 0 || part.length > size) return null;
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** Writes memory, read-only text too; false is a fault, which may leave a part written. */
  writeMemory(address: bigint, bytes: Uint8Array): boolean {
    const most = this.#memoryPerPacket;
    for (let done = 0; done < bytes.length; done += most) {
      if (!this.#writePart(place(address, done), bytes.subarray(done, done + most))) return false;
    }
    return true;
  }

  /**
   * Whether `readMemory` and `writeMemory` take physical addresses (QEMU's `PhyMemMode`): on arm64 the stub cannot reach
   * kernel text while a CPU is stopped in user mode, and physical addresses always can.
   */
  physicalMemory(on: boolean): void {
    this.expectOk(`Qqemu.PhyMemMode:${on ? 1 : 0}`);
  }

  /** A breakpoint of the stub's own, for an instruction of `size` bytes: `Z0`. */
  insertBreakpoint(address: bigint, size: number): void {
    this.expectOk(`Z0,${address.toString(16)},${size}`);
  }

  removeBreakpoint(address: bigint, size: number): void {
    this.expectOk(`z0,${address.toString(16)},${size}`);
  }

  /** Lets the whole machine run, or one thread while the others stand still. */
  resume(thread?: string): void {
    this.#run(thread === undefined ? 'vCont;c' : `vCont;c:${thread}`);
  }

  /** Lets one thread execute one instruction while the others stand still, and waits for it. */
  step(thread: string): RspStop {
    this.#run(`vCont;s:${thread}`);
    const stop = this.waitStop(this.#timeoutMs);
    if (stop !== null) return stop;
    throw new BpfError('ETIMEDOUT', 'stepping one instruction of a guest', { value: `thread ${thread}` });
  }

  /** Asks a running guest to stop: the answer is `waitStop`'s. */
  interrupt(): void {
    if (this.#running) this.#transport.send(RSP_INTERRUPT);
  }

  /** Why the guest stopped, or null if it still runs after `timeoutMs`. */
  waitStop(timeoutMs: number): RspStop | null {
    const answer = this.#poll(timeoutMs);
    if (answer === null) return null;
    const stop = parseRspStop(answer);
    this.#running = false;
    // QEMU chooses the thread that stopped.
    this.#thread = '';
    return stop;
  }

  /** Lets the guest go on without a debugger, and ends the connection. */
  detach(): void {
    this.expectOk('D');
    this.#transport.close();
  }

  close(): void {
    this.#transport.close();
  }

  get #memoryPerPacket(): number {
    const size = Number.parseInt(this.feature('PacketSize') ?? '', 16);
    return Number.isFinite(size) && size >= 64 ? Math.min((size - 32) >> 1, 65_536) : DEFAULT_PACKET / 2;
  }

  #writePart(where: string, bytes: Uint8Array): boolean {
    this.#binaryWrites ??= this.request(`X${where},0:`) === 'OK';
    const head = `${where},${bytes.length.toString(16)}:`;
    const answer = this.#binaryWrites
      ? this.request(`X${head}${fromLatin1(bytes)}`)
      : this.request(`M${head}${toHex(bytes)}`);
    return answer === 'OK';
  }

  /** Which thread `g`, `p` and memory accesses mean. */
  #select(thread: string): void {
    if (this.#thread === thread) return;
    this.expectOk(`Hg${thread}`);
    this.#thread = thread;
  }

  #transfer(object: string, annex: string): string {
    let text = '';
    for (;;) {
      const answer = this.request(`qXfer:${object}:read:${annex}:${text.length.toString(16)},ffb`);
      if (!/^[ml]/.test(answer)) {
        throw new BpfError('EOPNOTSUPP', `reading ${annex} from a gdb stub`, {
          value: answer.slice(0, 20),
          remedy: 'the stub does not describe its registers',
        });
      }
      text += answer.slice(1);
      if (answer.startsWith('l') || answer.length === 1) return text;
      if (text.length > 1 << 22)
        throw new BpfError('EPROTO', `reading ${annex} from a gdb stub`, { remedy: 'it has no end' });
    }
  }

  #run(action: string): void {
    if (this.#running) throw new BpfError('EBUSY', 'letting the guest run', { remedy: 'it runs already' });
    this.#send(action);
    this.#running = true;
  }

  #needStep(payload: string): void {
    if (this.#unanswered === null) return;
    throw new BpfError('EPIPE', `asking the gdb stub ${payload.slice(0, 20)}`, {
      value: `no answer came to ${this.#unanswered.slice(0, 40)}`,
      remedy: 'connect anew: answers no longer belong to what is asked',
    });
  }

  #send(payload: string): void {
    this.#transport.send(encodeRspPacket(payload));
  }

  #next(request: string): string {
    const answer = this.#poll(this.#timeoutMs);
    if (answer !== null) return answer;
    this.#unanswered = request;
    throw new BpfError('ETIMEDOUT', `waiting for the gdb stub's answer to ${request.slice(0, 40)}`, {
      value: `${this.#timeoutMs} ms`,
      remedy: 'the emulator hangs, or its gdb port is taken by another client',
    });
  }

  /** The next packet that is no console output. */
  #poll(timeoutMs: number): string | null {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const packet = this.#packets.shift();
      if (packet !== undefined) {
        const text = rspConsole(packet);
        if (text === null) return packet;
        this.#onConsole(text);
        continue;
      }
      const bytes = this.#transport.receive(Math.max(0, end - performance.now()));
      if (bytes === null) return null;
      for (const item of this.#decoder.push(bytes)) {
        if (item.kind === 'packet') this.#packets.push(fromLatin1(item.payload));
      }
    }
  }
}

function parseFeatures(answer: string): ReadonlyMap<string, string> {
  const features = new Map<string, string>();
  for (const item of answer.split(';')) {
    const match = /^([^=]+?)(?:=(.*)|([+\-?]))$/.exec(item);
    if (match !== null) features.set(match[1], match[2] ?? match[3]);
  }
  return features;
}

function place(address: bigint, offset: number): string {
  return BigInt.asUintN(64, address + BigInt(offset)).toString(16);
}

function expectOk(request: string, answer: string): void {
  if (answer === 'OK') return;
  throw new BpfError(answer === '' ? 'EOPNOTSUPP' : 'EIO', `asking the gdb stub for ${request.slice(0, 40)}`, {
    value: answer,
    remedy: answer === '' ? 'the stub does not know this request' : 'the stub refused it',
  });
}
