import { parseArgs } from 'node:util';
import { BpfError } from '../../base/index.js';
import { type Btf, printBtfAsC, printBtfAsDts } from '../../btf/index.js';
import type { CliIo } from '../io.js';
import { readBtfFile } from '../target.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = { 'base-btf': { type: 'string', short: 'B' } } as const;

/** `kscope btf gen dts|c FILE [TYPE]...`: types as declarations, all or the ones named with what they need. */
export function btfGen(args: readonly string[], io: CliIo): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [language, file, ...names] = positionals;
  if (language !== 'dts' && language !== 'c') throw new UsageError('btf gen takes dts or c, then FILE [TYPE]...');
  if (file === undefined) throw new UsageError('which file?');
  const base = values['base-btf'] === undefined ? undefined : readBtfFile(io.readFile(values['base-btf']));
  const btf = readBtfFile(io.readFile(file), base);
  const chosen = names.length === 0 ? {} : { ids: names.flatMap((name) => idsOf(btf, name)) };
  const text = language === 'c' ? printBtfAsC(btf, { ...chosen, enumModes: true }) : printBtfAsDts(btf, chosen);
  io.out(text.trimEnd());
  return 0;
}

function idsOf(btf: Btf, name: string): readonly number[] {
  const ids = btf.idsByName(name).filter((id) => !['func', 'var', 'datasec', 'fwd'].includes(btf.kindOf(id)));
  if (ids.length > 0) return ids;
  throw new BpfError('ENOENT', 'the BTF has no such type', {
    value: name,
    remedy: 'kscope btf dump lists what it has',
  });
}
