import type { CollectionSpec } from './collection-spec.js';
import type { GlobalVariable } from './global-variable.js';

const PREFIX = 'bpf_metadata_';

/**
 * What an object says of itself, as `bpftool prog show` lists it: constants named `bpf_metadata_NAME` in .rodata, by NAME, in
 * the order of their places.
 */
export function metadataOf(spec: Pick<CollectionSpec, 'variables'>): Map<string, GlobalVariable> {
  const found = [...spec.variables.values()].filter(
    ({ name, map }) => name.startsWith(PREFIX) && map.includes('.rodata'),
  );
  return new Map(found.map((variable) => [variable.name.slice(PREFIX.length), variable]));
}
