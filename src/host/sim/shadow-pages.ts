import type { PhysicalMemory } from './cpu/physical-memory.js';

const PAGE = 4096;

/** Copies of pages of files, with breakpoints in them: what user mode executes instead of the pages themselves. */
export class ShadowPages {
  readonly #physical: PhysicalMemory;
  readonly #shadows = new Map<string, Shadow>();
  /** Physical addresses of hidden pages that are not in use. */
  readonly #free: number[];

  /** `pages`: physical addresses of pages that the kernel does not know. */
  constructor(physical: PhysicalMemory, pages: readonly number[]) {
    this.#physical = physical;
    this.#free = [...pages];
  }

  get empty(): boolean {
    return this.#shadows.size === 0;
  }

  /** The patched bytes at `offset` of a page, where there are any, over what `bytes` has. */
  overlay(file: number, index: number, offset: number, bytes: Uint8Array): void {
    const patches = this.#shadows.get(key(file, index))?.patches;
    for (let i = 0; i < bytes.length; i++) bytes[i] = patches?.get(offset + i) ?? bytes[i];
  }

  /** Physical page to execute instead of `source`, which holds page `index` of `file`; -1 where there is no copy. */
  of(file: number, index: number, source: number): number {
    const shadow = this.#shadows.get(key(file, index));
    if (shadow === undefined) return -1;
    this.#refresh(shadow, source);
    return shadow.page;
  }

  /**
   * Makes `bytes` stand at `offset` of the page instead of `original`; where both are the same the copy is as the page. False
   * where there is no room for another copy. `created` tells that CPUs must translate anew.
   */
  patch(file: number, index: number, offset: number, original: Uint8Array, bytes: Uint8Array): boolean {
    const name = key(file, index);
    let shadow = this.#shadows.get(name);
    if (shadow === undefined) {
      const page = this.#free.pop();
      if (page === undefined) return false;
      shadow = { page, patches: new Map(), source: -1 };
      this.#shadows.set(name, shadow);
    }
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === original[i]) shadow.patches.delete(offset + i);
      else shadow.patches.set(offset + i, bytes[i]);
    }
    this.#physical.write(shadow.page + offset, bytes);
    if (shadow.patches.size > 0) return true;
    this.#shadows.delete(name);
    this.#free.push(shadow.page);
    return true;
  }

  /** Copies what has changed in the page since it was copied. */
  #refresh(shadow: Shadow, source: number): void {
    const { bytes } = this.#physical;
    const wanted = bytes.slice(source, source + PAGE);
    for (const [offset, byte] of shadow.patches) wanted[offset] = byte;
    if (shadow.source === source && same(wanted, bytes, shadow.page)) return;
    shadow.source = source;
    this.#physical.write(shadow.page, wanted);
  }
}

interface Shadow {
  readonly page: number;
  /** Patched bytes by offset in the page. */
  readonly patches: Map<number, number>;
  source: number;
}

function key(file: number, index: number): string {
  return `${file}:${index}`;
}

function same(wanted: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < wanted.length; i++) if (wanted[i] !== bytes[at + i]) return false;
  return true;
}
