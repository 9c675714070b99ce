import { Worker } from 'node:worker_threads';
import { BpfError } from '../../../base/index.js';
import type { RspTransport } from '../index.js';

/** Where a stub listens: a path (a unix socket) or a TCP port. */
export type SocketAddress = { readonly path: string } | { readonly host?: string; readonly port: number };

const WRITTEN = 0;
const TAKEN = 1;
const STATE = 2;
const CONNECTING = 0;
const CLOSED = 2;
const HEADER = 16;
/** A power of two: positions count on beyond it and wrap at 2^32. */
const RING = 1 << 20;

/**
 * A socket that is used synchronously: a worker owns it and copies what arrives to shared memory, where this thread waits
 * with Atomics.wait.
 */
export class WorkerSocket implements RspTransport {
  readonly #worker: Worker;
  readonly #control: Int32Array;
  readonly #ring: Uint8Array;

  /** Connects, trying again for `connectMs`; ETIMEDOUT or ECONNREFUSED where nobody listens. */
  constructor(address: SocketAddress, connectMs = 5000) {
    const shared = new SharedArrayBuffer(HEADER + RING);
    this.#control = new Int32Array(shared, 0, 4);
    this.#ring = new Uint8Array(shared, HEADER);
    this.#worker = new Worker(new URL('./socket-worker.js', import.meta.url), {
      workerData: { ...address, shared, connectMs },
      execArgv: [],
    });
    // It must not keep the process alive; errors show as a closed connection.
    this.#worker.unref();
    Atomics.wait(this.#control, STATE, CONNECTING, connectMs + 5000);
    const state = Atomics.load(this.#control, STATE);
    if (state !== CONNECTING && state !== CLOSED) return;
    this.close();
    throw new BpfError(state === CLOSED ? 'ECONNREFUSED' : 'ETIMEDOUT', 'connecting to a guest', {
      value: 'path' in address ? address.path : `${address.host ?? '127.0.0.1'}:${address.port}`,
      remedy: 'nobody listens there: is the emulator up?',
    });
  }

  send(bytes: Uint8Array): void {
    this.#worker.postMessage(bytes, []);
  }

  receive(timeoutMs: number): Uint8Array | null {
    const taken = Atomics.load(this.#control, TAKEN);
    const written = this.#wait(taken, timeoutMs);
    const size = (written - taken) | 0;
    if (size === 0) return null;
    const at = (taken >>> 0) % RING;
    const bytes = new Uint8Array(size);
    const first = Math.min(size, RING - at);
    bytes.set(this.#ring.subarray(at, at + first));
    bytes.set(this.#ring.subarray(0, size - first), first);
    Atomics.store(this.#control, TAKEN, written);
    return bytes;
  }

  close(): void {
    this.#worker.postMessage(null, []);
  }

  /** How far the worker has written, once that is more than `taken` or the time is up. */
  #wait(taken: number, timeoutMs: number): number {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const written = this.#written(taken);
      const left = end - performance.now();
      if (written !== taken || left <= 0) return written;
      // The worker may wake this thread once more for what it has taken already: that is no end of the time.
      Atomics.wait(this.#control, WRITTEN, taken, left);
    }
  }

  #written(taken: number): number {
    // In this order: what is closed writes no more.
    const closed = Atomics.load(this.#control, STATE) === CLOSED;
    const written = Atomics.load(this.#control, WRITTEN);
    if (written !== taken || !closed) return written;
    throw new BpfError('EPIPE', 'reading from a guest', { remedy: 'the connection is closed: the emulator has ended' });
  }
}
