import { toJson } from '../../export/index.js';
import { parseArgs } from 'node:util';
import { CollectionSpec, dumpLinked, Linker } from '../../loader/index.js';
import type { CliIo } from '../io.js';
import { formatInsns } from '../output/insn-listing.js';
import { type LinkTarget, linkTarget } from '../target.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = {
  prog: { type: 'string', multiple: true },
  opcodes: { type: 'boolean' },
  btf: { type: 'string' },
  kallsyms: { type: 'string' },
  json: { type: 'boolean', short: 'j' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** `kscope prog dump linked`: instructions after linking, global data and CO-RE, before any verifier. */
export function progDumpLinked(args: readonly string[], io: CliIo): number {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  if (positionals.length === 0) throw new UsageError('prog dump linked takes at least one object file');
  const target = linkTarget(values, io);
  for (const file of positionals) {
    const spec = CollectionSpec.parse(io.readFile(file));
    checkNames(spec, values.prog);
    if (values.json === true) printJson(spec, file, target, values, io);
    else printListing(spec, target, values, io);
  }
  return 0;
}

function checkNames(spec: CollectionSpec, wanted: readonly string[] = []): void {
  const names = spec.programs.map(({ name }) => name);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`no program "${unknown}"; there are: ${names.join(', ')}`);
}

function printJson(spec: CollectionSpec, file: string, target: LinkTarget, values: Values, io: CliIo): void {
  const programs = values.prog === undefined ? {} : { programs: values.prog };
  for (const record of dumpLinked(spec, file, { ...target, ...programs })) io.out(toJson(record));
}

function printListing(spec: CollectionSpec, target: LinkTarget, values: Values, io: CliIo): void {
  const linker = new Linker(spec, target);
  for (const program of spec.programs) {
    if (values.prog !== undefined && !values.prog.includes(program.name)) continue;
    const linked = linker.link(program);
    io.out(`${program.name} (${program.section}):`);
    const lines = formatInsns(linked.insns, {
      opcodes: values.opcodes === true,
      source: new Map(linked.lines.map(({ insn, text }) => [insn, text.trim()])),
      functions: new Map([...linked.functionNames].filter(([slot]) => slot > 0)),
      maps: new Map(linked.mapReferences.map(({ insn, map }) => [insn, map])),
    });
    for (const line of lines) io.out(line);
    for (const { message, poisoned } of linked.core) if (poisoned) io.err(`${program.name}: ${message}`);
  }
}
