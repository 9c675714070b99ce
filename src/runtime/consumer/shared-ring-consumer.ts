import { Doorbell, drainSharedRing, type RecordVisitor, type SharedRing, SharedRingCursor } from '../ring/index.js';
import type { EventType } from './event-type.js';

/**
 * Reads a ring buffer whose programs run on another thread: made in a worker of what `shareRing` gave there. One
 * consumer per ring. It gives room back in batches, so a producer may find the ring full a few records early; what
 * is refused is counted on its side (`RingBufferArea.counts`).
 *
 *     const consumer = new SharedRingConsumer(ring);
 *     while (consumer.wait()) consumer.consume((words, at) => ...);
 */
export class SharedRingConsumer {
  readonly #cursor: SharedRingCursor;
  readonly #bell: Doorbell;
  readonly #flow = { halted: false, delivered: 0 };
  readonly #isReadable = (): boolean => this.#cursor.readable;

  constructor(ring: SharedRing) {
    this.#cursor = new SharedRingCursor(ring);
    this.#bell = new Doorbell(ring.bell);
  }

  /** Records handed out so far. */
  get delivered(): number {
    return this.#flow.delivered;
  }

  /** Whether the producer's side has closed the link; what was committed before can still be read. */
  get closed(): boolean {
    return this.#bell.closed;
  }

  /**
   * Hands out the complete records there are, at most `limit`, and those that come in meanwhile; returns how many. The
   * visitor may throw: the record it was given is done with.
   */
  consume(visit: RecordVisitor, limit: number = Number.POSITIVE_INFINITY): number {
    return drainSharedRing(this.#cursor, this.#flow, visit, limit);
  }

  /** The same with the records as events of their type. */
  consumeEvents<E extends object>(
    type: EventType<E>,
    handler: (event: E) => void,
    limit: number = Number.POSITIVE_INFINITY,
  ): number {
    return type.drainShared(this.#cursor, this.#flow, handler, limit);
  }

  /**
   * Blocks the thread until there is something to consume: true; or until the link is closed and nothing is left, or
   * `timeout` ms are over: false. Programs wake it as they wake whom waits in epoll_wait(2): unless told otherwise
   * when they commit the record at which it waits. Not allowed on a browser's main thread.
   */
  wait(timeout: number = Number.POSITIVE_INFINITY): boolean {
    return this.#cursor.readable || this.#bell.sleepUntil(this.#isReadable, timeout);
  }
}
