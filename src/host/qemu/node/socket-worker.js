// @ts-check
// Owns one socket for a thread that waits for it with Atomics.wait. What arrives is copied to a ring in shared memory;
// what is to be sent comes as messages. Plain JavaScript, so that it runs as a worker from the sources as well.
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

/** @typedef {{ path?: string, host?: string, port?: number, shared: SharedArrayBuffer, connectMs: number }} SocketData */

/** Indices of the control words; the same as in worker-socket.ts. */
const WRITTEN = 0;
const TAKEN = 1;
const STATE = 2;
const CONNECTED = 1;
const CLOSED = 2;
const HEADER = 16;

const data = /** @type {SocketData} */ (workerData);
const control = new Int32Array(data.shared, 0, 4);
const ring = new Uint8Array(data.shared, HEADER);
const address =
  data.path === undefined ? { host: data.host ?? '127.0.0.1', port: data.port ?? 0 } : { path: data.path };
const giveUp = Date.now() + data.connectMs;

/** @param {number} state */
function tell(state) {
  Atomics.store(control, STATE, state);
  Atomics.notify(control, WRITTEN);
  Atomics.notify(control, STATE);
}

/** Copies what fits; the rest.
 * @param {Uint8Array} bytes */
function deliver(bytes) {
  const written = Atomics.load(control, WRITTEN);
  const room = ring.length - ((written - Atomics.load(control, TAKEN)) | 0);
  const size = Math.min(room, bytes.length);
  const at = (written >>> 0) % ring.length;
  const first = Math.min(size, ring.length - at);
  ring.set(bytes.subarray(0, first), at);
  ring.set(bytes.subarray(first, size), 0);
  if (size > 0) {
    Atomics.store(control, WRITTEN, (written + size) | 0);
    Atomics.notify(control, WRITTEN);
  }
  return bytes.subarray(size);
}

/** Whoever was to listen takes the folder along when it ends. */
function mayAppear() {
  return data.path === undefined || existsSync(dirname(data.path));
}

function open() {
  const socket = connect(address);
  let connected = false;
  /** @param {Uint8Array} bytes */
  const take = (bytes) => {
    const rest = deliver(bytes);
    if (rest.length === 0) return socket.resume();
    socket.pause();
    return setTimeout(take, 1, rest);
  };
  socket.on('connect', () => {
    connected = true;
    socket.setNoDelay(true);
    parentPort?.on('message', (/** @type {Uint8Array | null} */ bytes) => {
      if (bytes === null) socket.destroy();
      else socket.write(bytes);
    });
    tell(CONNECTED);
  });
  socket.on('data', take);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!connected && Date.now() < giveUp && mayAppear()) return void setTimeout(open, 10);
    tell(CLOSED);
    return parentPort?.close();
  });
}

open();
