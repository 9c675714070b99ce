import { parseArgs } from 'node:util';
import { openHost } from '../hosts/open-host.js';
import type { CliIo } from '../io.js';
import { formatMapDump, type MapDumpFormat } from '../output/map-dump.js';
import { readMap } from '../output/map-elements.js';
import { RUN_OPTIONS, runOptions } from '../run-options.js';
import { Session } from '../session.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = { ...RUN_OPTIONS, pretty: { type: 'boolean', short: 'p' } } as const;

/** `kscope map dump FILE.o [name MAP]`: runs the object, then dumps its maps as `bpftool map dump` does. */
export async function mapDump(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [file, keyword, name, ...rest] = positionals;
  if (file === undefined) throw new UsageError('which object file?');
  if (rest.length > 0 || (keyword !== undefined && (keyword !== 'name' || name === undefined))) {
    throw new UsageError('map dump takes FILE.o [name MAP]');
  }
  const options = runOptions(file, values);
  const opened = await openHost({ ...options, spec: options.host }, io);
  try {
    const session = new Session(opened, options, io, () => undefined);
    try {
      await session.run();
      session.stop();
      printMaps(session, name, values, io);
    } finally {
      session.close();
    }
  } finally {
    opened.close();
  }
  return 0;
}

function printMaps(
  session: Session,
  name: string | undefined,
  values: { readonly json?: boolean; readonly pretty?: boolean },
  io: CliIo,
): void {
  const format: MapDumpFormat = values.pretty === true ? 'pretty' : values.json === true ? 'json' : 'text';
  for (const map of chosenMaps(session, name)) {
    const dump = readMap(map, session.btf, session.machine.runtime.cpus);
    if (format === 'text' && name === undefined) io.err(`${map.name}:`);
    for (const line of formatMapDump(dump, format)) io.out(line);
  }
}

function chosenMaps({ collection: { maps } }: Session, name: string | undefined) {
  if (name === undefined) return [...maps.values()];
  const map = maps.get(name);
  if (map === undefined) throw new UsageError(`no map "${name}"; there are: ${[...maps.keys()].join(', ')}`);
  return [map];
}
