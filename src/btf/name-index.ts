/** Ids by name, in id order. Most names belong to one type, so those are kept as bare numbers. */
export class NameIndex {
  readonly #ids = new Map<string, number | number[]>();

  add(name: string, id: number): void {
    const known = this.#ids.get(name);
    if (known === undefined) this.#ids.set(name, id);
    else if (typeof known === 'number') this.#ids.set(name, [known, id]);
    else known.push(id);
  }

  get(name: string): readonly number[] {
    const known = this.#ids.get(name);
    return known === undefined ? [] : typeof known === 'number' ? [known] : known;
  }
}
