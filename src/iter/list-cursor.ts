import type { IterCursor, IterObject } from './iter-target.js';

/** Walks a list that is made anew at each start, from where the last walk ended. */
export abstract class ListCursor<T> implements IterCursor {
  #left: readonly T[] = [];

  start(): IterObject | null {
    this.#left = this.list();
    return this.show(this.#left[0]);
  }

  next(): IterObject | null {
    this.#left = this.#left.slice(1);
    return this.show(this.#left[0]);
  }

  close(): void {
    this.#left = [];
  }

  /** What has not been shown yet. */
  protected abstract list(): readonly T[];

  /** What the program is given of `first`, null at the end; remembers that it is shown next. */
  protected abstract show(first: T | undefined): IterObject | null;
}
