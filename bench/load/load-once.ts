import type { Btf } from 'kscope/btf';
import { CollectionSpec, Linker, liveMapSpec, programInput } from 'kscope/loader';
import { type BpfMap, BpfRuntime, checkProgram, createBareHost, type MapSpec } from 'kscope/runtime';

/** Maps are made beforehand: libbpf's cost it nothing either, since no kernel makes them. Sizes that tools would set are least ones. */
export function mapsOf(bytes: Uint8Array): Map<string, BpfMap> {
  const spec = CollectionSpec.parse(bytes);
  const runtime = new BpfRuntime(createBareHost(), {});
  return new Map(spec.maps.map((map) => [map.name, runtime.createMap(sized(liveMapSpec(spec, map, runtime)))]));
}

function sized(spec: MapSpec): MapSpec {
  const { maxEntries, keySize, valueSize } = spec;
  const isOpen = maxEntries === 0 || (keySize > 0 && valueSize === 0);
  return isOpen ? { ...spec, maxEntries: maxEntries || 1, valueSize: keySize > 0 ? valueSize || 8 : 0 } : spec;
}

/** From bytes to checked programs, those of all sections. */
export function loadOnce(bytes: Uint8Array, types: Btf, maps: ReadonlyMap<string, BpfMap>): void {
  const spec = CollectionSpec.parse(bytes);
  const linker = new Linker(spec, { btf: types });
  for (const program of spec.programs) {
    const linked = linker.link(program);
    checkProgram(
      programInput(
        spec,
        linked,
        linked.maps.flatMap(({ name }) => maps.get(name) ?? []),
      ),
    );
  }
}
