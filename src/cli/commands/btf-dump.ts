import { parseArgs } from 'node:util';
import { BpfError } from '../../base/index.js';
import { type Btf, printBtfAsC } from '../../btf/index.js';
import { toJson, toPrettyJson } from '../../export/index.js';
import { createSim } from '../../host/sim/index.js';
import type { CliIo } from '../io.js';
import { btfDumpRecord, formatBtfDump } from '../output/btf-dump.js';
import { readBtfFile } from '../target.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = {
  json: { type: 'boolean', short: 'j' },
  pretty: { type: 'boolean', short: 'p' },
  'base-btf': { type: 'string', short: 'B' },
} as const;

/** The simulator's kernel has this number among BTFs, as vmlinux has on Linux. */
const KERNEL_ID = '1';

/** `kscope btf dump (FILE | file FILE | id 1) [format raw|c]`: types in the shapes of bpftool. */
export function btfDump(args: readonly string[], io: CliIo): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const { source, format } = parseWords(positionals);
  const json = values.json === true || values.pretty === true;
  const print = values.pretty === true ? toPrettyJson : toJson;
  if (json && format === 'c') throw new UsageError('JSON output for C-syntax dump is not supported');
  const base = values['base-btf'] === undefined ? undefined : readBtfFile(io.readFile(values['base-btf']));
  const btf = source.id === undefined ? readBtfFile(io.readFile(source.file), base) : kernelBtf(source.id);
  if (json) io.out(print(btfDumpRecord(btf)));
  else io.out(format === 'c' ? printBtfAsC(btf).trimEnd() : formatBtfDump(btf));
  return 0;
}

type Source = { readonly id?: undefined; readonly file: string } | { readonly id: string };

function parseWords(words: readonly string[]): { source: Source; format: 'raw' | 'c' } {
  const hasKeyword = (words[0] === 'file' || words[0] === 'id') && words.length > 1 && words[1] !== 'format';
  const [name] = hasKeyword ? words.slice(1) : words;
  if (name === undefined) throw new UsageError('btf dump takes FILE, file FILE or id 1');
  const [keyword, format = 'raw', ...rest] = words.slice(hasKeyword ? 2 : 1);
  if ((keyword !== undefined && keyword !== 'format') || rest.length > 0) {
    throw new UsageError(`unexpected argument "${keyword === 'format' ? rest[0] : keyword}"`);
  }
  if (format !== 'raw' && format !== 'c') throw new UsageError(`format is raw or c, not "${format}"`);
  return { source: hasKeyword && words[0] === 'id' ? { id: name } : { file: name }, format };
}

function kernelBtf(id: string): Btf {
  if (!/^\d+$/.test(id)) throw new UsageError(`id takes a number, not "${id}"`);
  if (id === KERNEL_ID) return createSim({}).btf;
  throw new BpfError('ENOENT', 'no BTF of that id', {
    value: id,
    remedy: `the simulator has one: ${KERNEL_ID}, its kernel's; name a file for another`,
  });
}
