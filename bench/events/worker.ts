import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { RingBufferMap } from 'kscope/runtime';
import { objectOf, packetOf } from '../compute/workloads.js';
import { type EngineRow, sharedMemory } from '../engines.js';
import { PacketProgram } from '../packet-program.js';
import type { Rate } from './rate.js';
import { type RingWorkerData, Shared, State } from './shared-ring.js';

const RUNS_PER_TURN = 1000;
/** Long enough for V8 to have compiled both sides. */
const WARM_UP_MS = 200;

/** A program of this thread emits into a ring in shared memory; a worker consumes it, its callback seeing the bytes. */
export async function workerRate(engine: EngineRow, milliseconds: number): Promise<Rate> {
  const program = new PacketProgram({ ...engine, memory: sharedMemory }, objectOf('ring-quiet'), packetOf('event'));
  const ring = program.collection.maps.get('records');
  if (!(ring instanceof RingBufferMap)) throw new Error('the object has no ring buffer');
  const shared = new Int32Array(new SharedArrayBuffer(4 * Shared.words));
  const { address, size } = ring.area;
  const workerData: RingWorkerData = { memory: program.runtime.memory.wasm, address, size, shared };
  const worker = new Worker(new URL('ring-worker.js', import.meta.url), { workerData });
  while (Atomics.load(shared, Shared.state) === State.starting) await setImmediate();
  produce(program, Math.min(WARM_UP_MS, milliseconds));
  while (ring.area.consumer !== ring.area.producer) await setImmediate();
  const consumedBefore = Atomics.load(shared, Shared.consumed);
  const begin = performance.now();
  const attempts = produce(program, milliseconds);
  const consumed = Atomics.load(shared, Shared.consumed) - consumedBefore;
  const seconds = (performance.now() - begin) / 1e3;
  Atomics.store(shared, Shared.state, State.stopping);
  await once(worker, 'exit');
  return { attempts, consumed, seconds };
}

function produce({ loop }: PacketProgram, milliseconds: number): number {
  const end = performance.now() + milliseconds;
  let attempts = 0;
  for (; performance.now() < end; attempts += RUNS_PER_TURN) loop(RUNS_PER_TURN);
  return attempts;
}
