import { BpfError } from '../../base/index.js';

/**
 * Remembers verdicts on pairs of types, so that comparing takes time linear in the types. A pair that comes up
 * while it is being decided is a cycle, which is refused as too deep.
 */
export class TypePairMemo {
  readonly #verdicts = new Map<string, boolean | 'busy'>();

  get(localId: number, targetId: number, mode: string, decide: () => boolean): boolean {
    const key = `${localId}:${targetId}:${mode}`;
    const known = this.#verdicts.get(key);
    if (known === 'busy') {
      throw new BpfError('EINVAL', 'BTF type refers to itself where types are compared', {
        section: '.BTF',
        value: localId,
        remedy: 'types that contain themselves cannot be compared',
      });
    }
    if (known !== undefined) return known;
    this.#verdicts.set(key, 'busy');
    const verdict = decide();
    this.#verdicts.set(key, verdict);
    return verdict;
  }
}
