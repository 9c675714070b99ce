/**
 * Canonical types by hash. Where a type is equivalent to several (a declaration to two definitions), the first one is
 * taken, so the order is that of libbpf's hash map: newest first, turned round whenever the map grows.
 */
export class CandidateTable {
  readonly #ids = new Map<number, number | number[]>();
  #size = 0;
  #capacity = 0;

  add(hash: number, id: number): void {
    this.#makeRoom();
    const known = this.#ids.get(hash);
    if (known === undefined) this.#ids.set(hash, id);
    else if (typeof known === 'number') this.#ids.set(hash, [id, known]);
    else known.unshift(id);
  }

  of(hash: number): readonly number[] {
    const known = this.#ids.get(hash);
    return known === undefined ? [] : typeof known === 'number' ? [known] : known;
  }

  #makeRoom(): void {
    this.#size++;
    if (Math.floor((this.#size * 4) / 3) <= this.#capacity) return;
    this.#capacity = Math.max(4, this.#capacity * 2);
    for (const known of this.#ids.values()) if (typeof known !== 'number') known.reverse();
  }
}
