import { BpfError } from '../base/index.js';
import { BPFFS_ROOT, type BpfMap, isMapOfMaps, type MapSpec, type Runtime } from '../runtime/index.js';

/** Where LIBBPF_PIN_BY_NAME pins a map: its name below the root. Dots in names are the kernel's own. */
export function pinPath(spec: MapSpec, root: string = BPFFS_ROOT): string {
  return `${root.replace(/\/+$/, '')}/${spec.name.replaceAll('.', '_')}`;
}

/** The map that is pinned at `path`, with a reference for the caller; undefined where nothing is. EINVAL for one of other parameters. */
export function pinnedMap(runtime: Runtime, spec: MapSpec, path: string): BpfMap | undefined {
  if (!runtime.bpffs.has(path)) return undefined;
  const pinned = runtime.bpffs.get(path);
  const map = [...runtime.maps].find((each) => each === pinned);
  if (map === undefined) throw mismatch(spec, path, 'it is no map');
  const difference = parameters.find((name) => map[name] !== spec[name]);
  if (difference !== undefined)
    throw mismatch(spec, path, `its ${difference} is ${map[difference]}, not ${spec[difference]}`);
  const [extra, wantedExtra] = [map.spec.mapExtra ?? 0n, spec.mapExtra ?? 0n];
  if (extra !== wantedExtra) throw mismatch(spec, path, `its mapExtra is ${extra}, not ${wantedExtra}`);
  if (isMapOfMaps(map) && spec.innerMap !== undefined) {
    const { inner } = map;
    const wanted = spec.innerMap;
    const inside = parameters.find((name) => inner[name] !== wanted[name]);
    if (inside !== undefined)
      throw mismatch(spec, path, `${inside} of the maps in it is ${inner[inside]}, not ${wanted[inside]}`);
  }
  map.retain();
  return map;
}

/** Pins a new map, its directory made if need be. */
export function pinMap(runtime: Runtime, map: BpfMap, path: string): void {
  const { bpffs } = runtime;
  const directory = path.slice(0, path.lastIndexOf('/'));
  if (directory !== BPFFS_ROOT && !bpffs.has(directory)) bpffs.mkdir(directory);
  bpffs.pin(path, map);
}

/** What map_is_reuse_compat() compares. */
const parameters = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const;

function mismatch({ name }: MapSpec, path: string, why: string): BpfError {
  return new BpfError('EINVAL', `map ${name} cannot use what is pinned at ${path}`, {
    section: '.maps',
    value: path,
    remedy: `${why}; unlink it, or pin the map elsewhere`,
  });
}
