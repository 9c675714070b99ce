import { workerData } from 'node:worker_threads';
import { bpfOffset, BpfMemory, RingBufferArea, RingBufferConsumer } from 'kscope/runtime';
import { type RingWorkerData, Shared, State } from './shared-ring.js';

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
