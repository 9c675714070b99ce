// Consumes a perf ring of another thread until its link is closed, and posts what came.
import { parentPort, workerData } from 'node:worker_threads';
import { SharedPerfConsumer } from 'kscope/perf';

const { ring, whole } = workerData;
const consumer = new SharedPerfConsumer(ring);
let last = -1;
let inOrder = true;
let digest = 0;

function see(number, byte, length) {
  inOrder &&= number > last;
  last = number;
  digest = (Math.imul(digest, 31) + number + byte + length) | 0;
}

function seeRecord(record) {
  if (record.type !== 'sample') return;
  const view = new DataView(record.raw.buffer, record.raw.byteOffset);
  see(view.getUint32(0, true), record.raw[4], record.raw.length);
}

while (consumer.wait()) {
  if (whole) consumer.consume(seeRecord);
  else consumer.consumeRaw((words, at, length, bytes) => see(words[at], bytes[4 * at + 4], length));
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
parentPort.postMessage({ count: consumer.delivered, lost: consumer.lost, digest, inOrder });
