import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { PerfEventSampleFormat, PerfSwIds, PerfTypeId } from 'kscope/base';
import { perfEventAttr, PerfEvents, sharePerfRing } from 'kscope/perf';
import { PerfEventArrayMap, RingBufferMap, shareRing } from 'kscope/runtime';
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
  readonly isBusy?: true;
  /** Samples per wake-up of a perf ring. */
  readonly wakeup?: number;
}

export const WORKER_PATHS: readonly WorkerPath[] = [
  { name: 'ring buffer to a worker, numbers', object: 'ring', kind: 'numbers' },
  { name: 'ring buffer to a worker, typed objects', object: 'ring', kind: 'events' },
  { name: 'ring buffer to a busy worker, no wakeups, numbers', object: 'ring-quiet', kind: 'numbers', isBusy: true },
  { name: 'perf ring to a worker, wakeup per 256, numbers', object: 'perf', kind: 'numbers', wakeup: 256 },
  { name: 'perf ring to a worker, wakeup per 256, typed objects', object: 'perf', kind: 'events', wakeup: 256 },
];

const RUNS_PER_TURN = 1000;
/** Long enough for V8 to have compiled both sides. */
const WARM_UP_MS = 200;
/** As many bytes of data as the ring buffer has. */
const PERF_PAGES = 1024;

interface Producer {
  readonly program: PacketProgram;
  readonly source: WorkerTask['source'];
  /** Whether the consumer has taken everything. */
  isDrained(): boolean;
  close(): void;
}

/** A program of this thread emits into a ring in shared memory; a worker consumes it. */
export async function workerRate(engine: EngineRow, path: WorkerPath, milliseconds: number): Promise<Rate> {
  const producer = openProducer(engine, path);
  const { program, source } = producer;
  const shared = new Int32Array(new SharedArrayBuffer(4 * Shared.words));
  const workerData: WorkerTask = { source, kind: path.kind, isBusy: path.isBusy === true, shared };
  const worker = new Worker(new URL('ring-worker.js', import.meta.url), { workerData });
  const exit = once(worker, 'exit');
  while (Atomics.load(shared, Shared.state) === State.starting) await setImmediate();
  produce(program, Math.min(WARM_UP_MS, milliseconds));
  while (!producer.isDrained()) await setImmediate();
  const consumedBefore = Atomics.load(shared, Shared.consumed);
  const begin = performance.now();
  const attempts = produce(program, milliseconds);
  const consumed = Atomics.load(shared, Shared.consumed) - consumedBefore;
  const seconds = (performance.now() - begin) / 1e3;
  Atomics.store(shared, Shared.state, State.stopping);
  producer.close();
  await exit;
  return { attempts, consumed, seconds };
}

function openProducer(engine: EngineRow, { object, wakeup = 1 }: WorkerPath): Producer {
  const program = new PacketProgram({ ...engine, memory: sharedMemory }, objectOf(object), packetOf('event'));
  const { runtime } = program;
  const map = program.collection.maps.get('records');
  if (map instanceof RingBufferMap) {
    const { ring, close } = shareRing(runtime.memory, map.area);
    return { program, source: { ring }, isDrained: () => map.area.consumer === map.area.producer, close };
  }
  if (!(map instanceof PerfEventArrayMap)) throw new Error('the object has no ring');
  const { area, perf, close } = openPerf(program, map, wakeup);
  return { program, source: { perf }, isDrained: () => area.tail === area.head, close };
}

function openPerf({ runtime }: PacketProgram, map: PerfEventArrayMap, wakeup: number) {
  const attr = perfEventAttr({
    type: PerfTypeId.PERF_TYPE_SOFTWARE,
    config: BigInt(PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT),
    sampleType: PerfEventSampleFormat.PERF_SAMPLE_RAW,
    wakeup,
    flags: [],
  });
  const event = new PerfEvents(runtime).open(attr, { pid: -1, cpu: 0 });
  const { area } = event.mmap(PERF_PAGES);
  map.setSink(0, event);
  const { ring, close } = sharePerfRing(runtime.memory, event);
  return { area, perf: ring, close };
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
