import { HashElem } from '../../map/map-layout.js';
import { LruLocal, LruSet, LruType } from '../../map/lru-list.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import type { MapShape } from './map-shape.js';

/**
 * Writes the short ways of `LruList`: taking an element that the CPU has free, and giving one back. Rotation,
 * eviction and stealing stay outside the module. Elements are in locals.
 */
export class LruCode {
  readonly #w: FunctionWriter;
  readonly #map: MapShape;
  readonly #next: number;
  readonly #prev: number;
  readonly #list: number;

  constructor(w: FunctionWriter, map: MapShape) {
    this.#w = w;
    this.#map = map;
    this.#next = w.local(ValType.i32);
    this.#prev = w.local(ValType.i32);
    this.#list = w.local(ValType.i32);
  }

  /** Notes that a program has used the element. */
  reference(element: number): void {
    this.#w.get(element);
    this.#w.i32(1);
    this.#w.memory(Wasm.i32Store8, HashElem.lruRef);
  }

  /** The first free element of the CPU in the local `cpu` goes to its pending ones; leaves the block if it has none. */
  takeLocal(element: number, cpu: number): void {
    const w = this.#w;
    this.#localLists(() => w.get(cpu));
    w.tee(this.#list);
    w.memory(Wasm.i32Load, LruLocal.free + HashElem.lruNext);
    w.tee(element);
    this.#head(LruLocal.free);
    w.op(Wasm.i32Eq);
    w.brIf(0);
    this.#remove(element);
    w.get(element);
    w.get(cpu);
    w.i32(8 * (HashElem.lruCpu - HashElem.lruType));
    w.op(Wasm.i32Shl);
    w.i32(LruType.localPending);
    w.op(Wasm.i32Or);
    w.memory(Wasm.i32Store, HashElem.lruType);
    this.#head(LruLocal.pending);
    w.set(this.#list);
    this.#insert(element);
  }

  /** Gives back an element that is in no bucket any more. */
  give(element: number): void {
    const w = this.#w;
    if (this.#map.hasListsPerCpu) {
      this.#setOf(element);
      this.#moveToFree(element);
      return;
    }
    w.get(element);
    w.memory(Wasm.i32Load8U, HashElem.lruType);
    w.i32(LruType.localPending);
    w.op(Wasm.i32Eq);
    w.if();
    this.#localLists(() => this.#cpuOf(element));
    w.i32(LruLocal.free);
    w.op(Wasm.i32Add);
    w.set(this.#list);
    this.#place(element, LruType.localFree);
    w.else();
    w.i32(this.#map.lru);
    w.set(this.#list);
    this.#moveToFree(element);
    w.end();
  }

  /** `LruList.#move` from any list of the set in the local `#list` to its free ones. */
  #moveToFree(element: number): void {
    const w = this.#w;
    this.#uncount(element);
    w.get(element);
    w.i32(0);
    w.memory(Wasm.i32Store8, HashElem.lruRef);
    w.get(this.#list);
    w.memory(Wasm.i32Load, LruSet.cursor);
    w.get(element);
    w.op(Wasm.i32Eq);
    w.if();
    w.get(this.#list);
    w.get(element);
    w.memory(Wasm.i32Load, HashElem.lruPrev);
    w.memory(Wasm.i32Store, LruSet.cursor);
    w.end();
    this.#head(LruSet.free);
    w.set(this.#list);
    this.#place(element, LruType.free);
  }

  /** One less of the element's type, if those are counted. */
  #uncount(element: number): void {
    const w = this.#w;
    w.get(element);
    w.memory(Wasm.i32Load8U, HashElem.lruType);
    w.tee(this.#next);
    w.i32(LruType.inactive);
    w.op(Wasm.i32LeU);
    w.if();
    w.get(this.#list);
    w.get(this.#next);
    w.i32(2);
    w.op(Wasm.i32Shl, Wasm.i32Add);
    w.tee(this.#prev);
    w.get(this.#prev);
    w.memory(Wasm.i32Load, LruSet.counts);
    w.i32(1);
    w.op(Wasm.i32Sub);
    w.memory(Wasm.i32Store, LruSet.counts);
    w.end();
  }

  #place(element: number, type: number): void {
    const w = this.#w;
    this.#remove(element);
    w.get(element);
    w.i32(type);
    w.memory(Wasm.i32Store8, HashElem.lruType);
    this.#insert(element);
  }

  /** Puts the element behind the list head in the local `#list`. */
  #insert(element: number): void {
    const w = this.#w;
    w.get(element);
    w.get(this.#list);
    w.memory(Wasm.i32Load, HashElem.lruNext);
    w.tee(this.#next);
    w.memory(Wasm.i32Store, HashElem.lruNext);
    w.get(element);
    w.get(this.#list);
    w.memory(Wasm.i32Store, HashElem.lruPrev);
    w.get(this.#next);
    w.get(element);
    w.memory(Wasm.i32Store, HashElem.lruPrev);
    w.get(this.#list);
    w.get(element);
    w.memory(Wasm.i32Store, HashElem.lruNext);
  }

  #remove(element: number): void {
    const w = this.#w;
    w.get(element);
    w.memory(Wasm.i32Load, HashElem.lruNext);
    w.set(this.#next);
    w.get(element);
    w.memory(Wasm.i32Load, HashElem.lruPrev);
    w.tee(this.#prev);
    w.get(this.#next);
    w.memory(Wasm.i32Store, HashElem.lruNext);
    w.get(this.#next);
    w.get(this.#prev);
    w.memory(Wasm.i32Store, HashElem.lruPrev);
  }

  /** Leaves a list head, `offset` bytes behind the lists in the local `#list`. */
  #head(offset: number): void {
    this.#w.get(this.#list);
    this.#w.i32(offset);
    this.#w.op(Wasm.i32Add);
  }

  #cpuOf(element: number): void {
    this.#w.get(element);
    this.#w.memory(Wasm.i32Load16U, HashElem.lruCpu);
  }

  /** Leaves the local lists of a CPU, where there is one set of lists for all. */
  #localLists(cpu: () => void): void {
    cpu();
    this.#w.i32(LruLocal.size);
    this.#w.op(Wasm.i32Mul);
    this.#w.i32(this.#map.lru + LruSet.size);
    this.#w.op(Wasm.i32Add);
  }

  /** The local `#list` becomes the set of lists of the element's CPU. */
  #setOf(element: number): void {
    this.#cpuOf(element);
    this.#w.i32(LruSet.size);
    this.#w.op(Wasm.i32Mul);
    this.#w.i32(this.#map.lru);
    this.#w.op(Wasm.i32Add);
    this.#w.set(this.#list);
  }
}
