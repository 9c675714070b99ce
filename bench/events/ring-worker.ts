import { workerData } from 'node:worker_threads';
import { SharedPerfConsumer } from 'kscope/perf';
import { type RecordVisitor, SharedRingConsumer } from 'kscope/runtime';
import { recordType, type WorkloadRecord } from './record-type.js';
import { REPORT_BATCH, Shared, State, type WorkerTask } from './worker-task.js';

let lastPid = 0;

const visit: RecordVisitor = (words, at) => {
  lastPid = words[at + 2] ?? 0;
};
const onEvent = ({ pid }: WorkloadRecord): void => {
  lastPid = pid;
};

interface Consumer {
  wait(timeout: number): boolean;
  /** Takes a batch and returns how many records it had. */
  take(): number;
}

/** Each row has a worker, and so a compiler, of its own: what is called below sees one kind of consumer only. */
function consumerOf({ source, kind }: WorkerTask): Consumer {
  const type = recordType();
  const wants = kind === 'numbers';
  if ('perf' in source) {
    const consumer = new SharedPerfConsumer(source.perf);
    return {
      wait: (timeout) => consumer.wait(timeout),
      take: wants
        ? () => consumer.consumeRaw(visit, REPORT_BATCH)
        : () => consumer.consumeEvents(type, onEvent, REPORT_BATCH),
    };
  }
  const consumer = new SharedRingConsumer(source.ring);
  return {
    wait: (timeout) => consumer.wait(timeout),
    take: wants
      ? () => consumer.consume(visit, REPORT_BATCH)
      : () => consumer.consumeEvents(type, onEvent, REPORT_BATCH),
  };
}

/** Consumes until it is told to stop. */
function consume(task: WorkerTask): void {
  const { shared, isBusy } = task;
  const consumer = consumerOf(task);
  Atomics.store(shared, Shared.state, State.consuming);
  while (Atomics.load(shared, Shared.state) === State.consuming) {
    if (!isBusy) consumer.wait(50);
    Atomics.add(shared, Shared.consumed, consumer.take());
  }
  shared[Shared.lastPid] = lastPid;
}

consume(workerData as WorkerTask);
