// Consumes a ring of another thread until its link is closed, and posts what came: { count, digest, inOrder }.
import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { parseBtf } from 'kscope/btf';
import { elfSection } from 'kscope/loader';
import { eventType, SharedRingConsumer } from 'kscope/runtime';

const { ring, typed } = workerData;
const consumer = new SharedRingConsumer(ring);
let last = -1;
let inOrder = true;
let digest = 0;

function see(number, byte, length) {
  inOrder &&= number > last;
  last = number;
  digest = (Math.imul(digest, 31) + number + byte + length) | 0;
}

if (typed === undefined) {
  while (consumer.wait()) {
    consumer.consume((words, at, length, bytes) => see(words[at], bytes[4 * at + length - 1], length));
  }
} else {
  const type = eventType(parseBtf(elfSection(readFileSync(typed), '.BTF')), 'event');
  while (consumer.wait()) consumer.consumeEvents(type, (event) => see(event.pid, event.comm.charCodeAt(0), type.size));
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
parentPort.postMessage({ count: consumer.delivered, digest, inOrder });
