import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { RingBufferMap, shareRing } from 'kscope/runtime';
import { objectOf, packetOf } from '../compute/workloads.js';
import { type EngineRow, sharedMemory } from '../engines.js';
import { PacketProgram } from '../packet-program.js';
import type { Rate } from './rate.js';
import { type ConsumerKind, Shared, State, type WorkerTask } from './worker-task.js';

/** How a program's records reach a worker's callback. */
export interface WorkerPath {
  readonly name: string;
  readonly object: string;
  readonly kind: ConsumerKind;
  readonly isBusy: boolean;
}

export const WORKER_PATHS: readonly WorkerPath[] = [
  { name: 'ring buffer to a worker, numbers', object: 'ring', kind: 'numbers', isBusy: false },
  { name: 'ring buffer to a worker, typed objects', object: 'ring', kind: 'events', isBusy: false },
  { name: 'ring buffer to a busy worker, no wakeups, numbers', object: 'ring-quiet', kind: 'numbers', isBusy: true },
];

const RUNS_PER_TURN = 1000;
/** Long enough for V8 to have compiled both sides. */
const WARM_UP_MS = 200;

/** A program of this thread emits into a ring in shared memory; a worker consumes it. */
export async function workerRate(engine: EngineRow, path: WorkerPath, milliseconds: number): Promise<Rate> {
  const program = new PacketProgram({ ...engine, memory: sharedMemory }, objectOf(path.object), packetOf('event'));
  const map = program.collection.maps.get('records');
  if (!(map instanceof RingBufferMap)) throw new Error('the object has no ring buffer');
  const link = shareRing(program.runtime.memory, map.area);
  const shared = new Int32Array(new SharedArrayBuffer(4 * Shared.words));
  const workerData: WorkerTask = { ring: link.ring, kind: path.kind, isBusy: path.isBusy, shared };
  const worker = new Worker(new URL('ring-worker.js', import.meta.url), { workerData });
  const exit = once(worker, 'exit');
  while (Atomics.load(shared, Shared.state) === State.starting) await setImmediate();
  produce(program, Math.min(WARM_UP_MS, milliseconds));
  while (map.area.consumer !== map.area.producer) await setImmediate();
  const consumedBefore = Atomics.load(shared, Shared.consumed);
  const begin = performance.now();
  const attempts = produce(program, milliseconds);
  const consumed = Atomics.load(shared, Shared.consumed) - consumedBefore;
  const seconds = (performance.now() - begin) / 1e3;
  Atomics.store(shared, Shared.state, State.stopping);
  link.close();
  await exit;
  return { attempts, consumed, seconds };
}

/** Wake-ups are delivered after each run, as at the end of a real event. */
function produce({ loop, runtime: { wakeups } }: PacketProgram, milliseconds: number): number {
  const end = performance.now() + milliseconds;
  let attempts = 0;
  while (performance.now() < end) {
    for (let run = 0; run < RUNS_PER_TURN; run++) {
      loop(1);
      if (wakeups.any) wakeups.deliver();
    }
    attempts += RUNS_PER_TURN;
  }
  return attempts;
}
