import { HashElem, HashKind, MapHeader } from '../../map/map-layout.js';
import type { FunctionWriter } from '../wasm/function-writer.js';
import { ValType, Wasm } from '../wasm/opcodes.js';
import { chunksOf, copyBytes, loadChunk } from './copy-bytes.js';
import { writeJhash } from './jhash-code.js';
import type { MapShape } from './map-shape.js';

/** Keys up to here are compared without a loop. */
const UNROLLED_KEY = 64;

/** Writes what `HashTable` does with the key that a local points to, with one map's numbers as constants. */
export class HashCode {
  /** Local: the element that `find` has found, 0 for none; and whatever element is at hand after that. */
  readonly element: number;
  /** Local: where the number of that element stands, in the bucket or in the element before. */
  readonly link: number;
  readonly #w: FunctionWriter;
  readonly #map: MapShape;
  readonly #key: number;
  /** Locals: the hash of the key; the key itself if it has 4 or 8 bytes. */
  readonly #hash: number;
  readonly #word: number;

  constructor(w: FunctionWriter, map: MapShape, key: number) {
    this.#w = w;
    this.#map = map;
    this.#key = key;
    this.element = w.local(ValType.i32);
    this.link = w.local(ValType.i32);
    this.#hash = w.local(ValType.i32);
    this.#word = w.local(map.keySize === 8 ? ValType.i64 : ValType.i32);
  }

  /** Hashes the key and looks for it. */
  find(): void {
    const w = this.#w;
    this.#hashKey();
    this.#bucket();
    w.set(this.link);
    w.block();
    w.loop();
    w.get(this.link);
    w.memory(Wasm.i32Load, HashElem.next);
    w.tee(this.element);
    w.op(Wasm.i32Eqz);
    w.brIf(1);
    w.block();
    this.#leaveUnlessSame();
    w.br(2);
    w.end();
    w.get(this.element);
    w.set(this.link);
    w.br(0);
    w.end();
    w.end();
  }

  setKey(): void {
    copyBytes(this.#w, this.element, this.#map.elemKey, this.#key, 0, this.#map.keySize);
  }

  /** Puts the element at the head of the key's bucket. */
  linkElement(): void {
    const w = this.#w;
    w.get(this.element);
    w.get(this.#hash);
    w.memory(Wasm.i32Store, HashElem.hash);
    this.#bucket();
    w.tee(this.link);
    w.get(this.element);
    w.get(this.link);
    w.memory(Wasm.i32Load, 0);
    w.memory(Wasm.i32Store, HashElem.next);
    w.get(this.element);
    w.memory(Wasm.i32Store, 0);
  }

  /** Takes the element that was found out of its bucket; its own link stays. */
  unlinkElement(): void {
    const w = this.#w;
    w.get(this.link);
    w.get(this.element);
    w.memory(Wasm.i32Load, HashElem.next);
    w.memory(Wasm.i32Store, HashElem.next);
  }

  /** Changes the number of elements. */
  count(change: number): void {
    const w = this.#w;
    w.i32(0);
    this.loadField(MapHeader.count);
    w.i32(change);
    w.op(Wasm.i32Add);
    w.memory(Wasm.i32Store, this.#map.address + MapHeader.count);
  }

  loadField(field: number): void {
    this.#w.i32(0);
    this.#w.memory(Wasm.i32Load, this.#map.address + field);
  }

  /** Leaves the address of the word that holds the first element of the key's bucket. */
  #bucket(): void {
    const w = this.#w;
    w.get(this.#hash);
    w.i32(this.#map.mask);
    w.op(Wasm.i32And);
    w.i32(2);
    w.op(Wasm.i32Shl);
    w.i32(this.#map.buckets);
    w.op(Wasm.i32Add);
  }

  #hashKey(): void {
    const w = this.#w;
    const { hashKind, keySize, seed } = this.#map;
    if (this.#isWord()) {
      loadChunk(w, this.#key, 0, { at: 0, bytes: keySize });
      w.set(this.#word);
    }
    if (hashKind === HashKind.jhash) {
      writeJhash(w, this.#key, keySize, seed, this.#hash);
      return;
    }
    w.get(this.#word);
    if (keySize === 8) this.#fold();
    mix(w, seed, this.#hash);
  }

  #isWord(): boolean {
    return this.#map.keySize === 4 || this.#map.keySize === 8;
  }

  /** From 64 bits to 32. */
  #fold(): void {
    const w = this.#w;
    w.op(Wasm.i32WrapI64);
    w.get(this.#word);
    foldHigh(w);
  }

  /** Leaves the block unless the element has the key. */
  #leaveUnlessSame(): void {
    const w = this.#w;
    const { elemKey, keySize, hashKind } = this.#map;
    if (hashKind === HashKind.jhash) {
      w.get(this.element);
      w.memory(Wasm.i32Load, HashElem.hash);
      w.get(this.#hash);
      w.op(Wasm.i32Ne);
      w.brIf(0);
    }
    if (this.#isWord()) {
      loadChunk(w, this.element, elemKey, { at: 0, bytes: keySize });
      w.get(this.#word);
      w.op(keySize === 8 ? Wasm.i64Ne : Wasm.i32Ne);
      w.brIf(0);
      return;
    }
    const looped = keySize > UNROLLED_KEY ? keySize - (keySize % 8) : 0;
    if (looped > 0) this.#leaveUnlessSameWords(looped);
    for (const { at, bytes } of chunksOf(keySize - looped)) {
      const chunk = { at: at + looped, bytes };
      loadChunk(w, this.element, elemKey, chunk);
      loadChunk(w, this.#key, 0, chunk);
      w.op(bytes === 8 ? Wasm.i64Ne : Wasm.i32Ne);
      w.brIf(0);
    }
  }

  /** The same for the first `size` bytes, 8 at a time. */
  #leaveUnlessSameWords(size: number): void {
    const w = this.#w;
    const at = w.local(ValType.i32);
    w.i32(0);
    w.set(at);
    w.loop();
    w.get(this.element);
    w.get(at);
    w.op(Wasm.i32Add);
    w.memory(Wasm.i64Load, this.#map.elemKey);
    w.get(this.#key);
    w.get(at);
    w.op(Wasm.i32Add);
    w.memory(Wasm.i64Load, 0);
    w.op(Wasm.i64Ne);
    w.brIf(1);
    w.get(at);
    w.i32(8);
    w.op(Wasm.i32Add);
    w.tee(at);
    w.i32(size);
    w.op(Wasm.i32LtU);
    w.brIf(0);
    w.end();
  }
}

/** The low word of a key and all of its 64 bits are on the stack: leaves what `hashKey` mixes. */
export function foldHigh(w: FunctionWriter): void {
  w.i64(32);
  w.op(Wasm.i64ShrU, Wasm.i32WrapI64);
  w.i32(0x85ebca6b | 0);
  w.op(Wasm.i32Mul);
  w.i32(15);
  w.op(Wasm.i32Rotl, Wasm.i32Xor);
}

/** From a key of 32 bits on the stack to its hash in the local. */
export function mix(w: FunctionWriter, seed: number, hash: number): void {
  w.i32(seed | 0);
  w.op(Wasm.i32Xor);
  w.i32(0x9e3779b1 | 0);
  w.op(Wasm.i32Mul);
  w.tee(hash);
  w.get(hash);
  w.i32(15);
  w.op(Wasm.i32ShrU, Wasm.i32Xor);
  w.set(hash);
}
