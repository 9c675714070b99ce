import { toJson, toPrettyJson } from '../../export/index.js';
import type { CliIo } from '../io.js';
import { mapTypeName } from '../output/map-type-name.js';
import { showObject } from '../show-object.js';

/** `kscope map show FILE.o`: the maps of an object as `bpftool map show` lists them. */
export function mapShow(args: readonly string[], io: CliIo): number {
  const { collection, style } = showObject('map show', args, io);
  const records = [...collection.maps.values()].map((map) => ({
    id: map.id,
    type: mapTypeName(map.type),
    name: map.name,
    flags: map.flags,
    bytes_key: map.keySize,
    bytes_value: map.valueSize,
    max_entries: map.maxEntries,
    bytes_memlock: map.memoryUsage,
    frozen: map.spec.frozen === true ? 1 : 0,
  }));
  if (style === 'text') {
    for (const {
      id,
      type,
      name,
      flags,
      bytes_key: key,
      bytes_value: value,
      max_entries: entries,
      ...rest
    } of records) {
      io.out(`${id}: ${type}  name ${name}  flags 0x${flags.toString(16)}`);
      io.out(`\tkey ${key}B  value ${value}B  max_entries ${entries}  memlock ${rest.bytes_memlock}B`);
      if (rest.frozen === 1) io.out('\tfrozen');
    }
  } else io.out(style === 'json' ? toJson(records) : toPrettyJson(records));
  collection.close();
  return 0;
}
