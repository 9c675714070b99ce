import { workerData } from 'node:worker_threads';
import { bpfOffset, BpfMemory, RingBufferArea, RingBufferConsumer } from 'kscope/runtime';

/** A ring in shared memory, and what both threads know of its consumer. */
export interface RingWorkerData {
  readonly memory: WebAssembly.Memory;
  readonly address: number;
  readonly size: number;
  /** Words: see `Shared`. */
  readonly shared: Int32Array;
}

/** Words shared with the producer's thread. */
export const Shared = { state: 0, consumed: 1, lastPid: 2, words: 3 } as const;

export const State = { starting: 0, consuming: 1, stopping: 2 } as const;

/** Consumes without ever sleeping until it is told to stop. */
function consume({ memory, address, size, shared }: RingWorkerData): void {
  const bpfMemory = new BpfMemory({ memory });
  const consumer = new RingBufferConsumer(bpfMemory, new RingBufferArea(bpfMemory, bpfOffset(address), size));
  let lastPid = 0;
  const handler = (data: Uint8Array): void => {
    lastPid = data[8] ?? 0;
  };
  Atomics.store(shared, Shared.state, State.consuming);
  while (Atomics.load(shared, Shared.state) === State.consuming) {
    const count = consumer.consume(handler, 256);
    if (count > 0) Atomics.add(shared, Shared.consumed, count);
  }
  shared[Shared.lastPid] = lastPid;
}

consume(workerData as RingWorkerData);
