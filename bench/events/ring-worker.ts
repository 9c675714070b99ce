import { workerData } from 'node:worker_threads';
import { SharedRingConsumer } from 'kscope/runtime';
import { recordType, type WorkloadRecord } from './record-type.js';
import { type ConsumerKind, REPORT_BATCH, Shared, State, type WorkerTask } from './worker-task.js';

let lastPid = 0;

const TAKE: Readonly<Record<ConsumerKind, (consumer: SharedRingConsumer) => () => number>> = {
  numbers(consumer) {
    const visit = (words: Int32Array, at: number): void => {
      lastPid = words[at + 2] ?? 0;
    };
    return () => consumer.consume(visit, REPORT_BATCH);
  },
  events(consumer) {
    const type = recordType();
    const handler = ({ pid }: WorkloadRecord): void => {
      lastPid = pid;
    };
    return () => consumer.consumeEvents(type, handler, REPORT_BATCH);
  },
};

/** Consumes until it is told to stop. */
function consume({ ring, kind, isBusy, shared }: WorkerTask): void {
  const consumer = new SharedRingConsumer(ring);
  const take = TAKE[kind](consumer);
  Atomics.store(shared, Shared.state, State.consuming);
  while (Atomics.load(shared, Shared.state) === State.consuming) {
    if (!isBusy) consumer.wait(50);
    Atomics.add(shared, Shared.consumed, take());
  }
  shared[Shared.lastPid] = lastPid;
}

consume(workerData as WorkerTask);
