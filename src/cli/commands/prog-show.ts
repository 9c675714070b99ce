import { toJson, toPrettyJson } from '../../export/index.js';
import { type CollectionProgram, metadataOf } from '../../loader/index.js';
import type { BtfValue } from '../../btf/index.js';
import type { CliIo } from '../io.js';
import { INSN_SIZE, isGplCompatible } from '../../runtime/index.js';
import { progTypeName } from '../output/prog-type-name.js';
import { showObject } from '../show-object.js';

interface ProgramRecord {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly gpl_compatible: boolean;
  readonly bytes_xlated: number;
  readonly map_ids: readonly number[];
  readonly metadata?: Readonly<Record<string, BtfValue>>;
}

/** `kscope prog show FILE.o`: the programs of an object as `bpftool prog show` lists them. */
export function progShow(args: readonly string[], io: CliIo): number {
  const { collection, style } = showObject('prog show', args, io);
  const { license } = collection.spec;
  const metadata = [...metadataOf(collection)].map(([name, variable]): [string, BtfValue] => [name, variable.get()]);
  const records = [...collection.programs.values()].map((program): ProgramRecord => {
    const mapIds = mapIdsOf(program, metadata.length > 0 ? collection.maps.get('.rodata')?.id : undefined);
    const { id, name, type } = program.program;
    return {
      id,
      type: progTypeName(type),
      name,
      gpl_compatible: isGplCompatible(license),
      bytes_xlated: program.linked.insns.length * INSN_SIZE,
      map_ids: mapIds,
      ...(metadata.length === 0 ? {} : { metadata: Object.fromEntries(metadata) }),
    };
  });
  if (style === 'text') for (const record of records) for (const line of textLines(record)) io.out(line);
  else io.out(style === 'json' ? toJson(records) : toPrettyJson(records));
  collection.close();
  return 0;
}

/** A program is bound to the map with the metadata, whether it refers to it or not. */
function mapIdsOf({ program }: CollectionProgram, metadata: number | undefined): number[] {
  const ids = program.executable.maps.map(({ id }) => id);
  return metadata === undefined || ids.includes(metadata) ? ids : [...ids, metadata];
}

function textLines({
  id,
  type,
  name,
  gpl_compatible: gpl,
  bytes_xlated: xlated,
  map_ids: maps,
  metadata,
}: ProgramRecord): string[] {
  const ids = maps.length === 0 ? '' : `  map_ids ${maps.join(',')}`;
  const lines = [`${id}: ${type}  name ${name}${gpl ? '  gpl' : ''}`, `\txlated ${xlated}B${ids}`];
  if (metadata === undefined) return lines;
  return [...lines, '\tmetadata:', ...Object.entries(metadata).map(([key, value]) => `\t\t${key} = ${toJson(value)}`)];
}
