import { toJson } from '../../export/index.js';
import { toHex } from '../../base/index.js';
import { parseArgs } from 'node:util';
import { formatLedger } from '../../runtime/index.js';
import { openHost } from '../hosts/open-host.js';
import type { OpenedHost } from '../hosts/opened-host.js';
import type { CliIo } from '../io.js';
import { EventTable } from '../output/event-table.js';
import { fileArgument } from '../options.js';
import { describeMaps, isFields, mapReportLines } from '../output/map-report.js';
import { RUN_OPTIONS, type RunOptions, runOptions } from '../run-options.js';
import { type IterText, Session, type SessionEvent, type SessionListener } from '../session.js';
import { UsageError } from '../usage-error.js';

const OPTIONS = { ...RUN_OPTIONS, journal: { type: 'string' } } as const;

/** `kscope run`: loads, attaches, streams what the programs emit; maps and the loss ledger at the end. */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const options = runOptions(fileArgument(positionals), values);
  if (values.journal !== undefined && options.host.kind !== 'sim') {
    throw new UsageError('--journal: only the simulator keeps one');
  }
  const opened = await openHost({ ...options, spec: options.host }, io);
  try {
    return await runOn(opened, options, values, io);
  } finally {
    opened.close();
  }
}

async function runOn(
  opened: OpenedHost,
  options: RunOptions,
  values: { readonly json?: boolean; readonly journal?: string },
  io: CliIo,
): Promise<number> {
  const json = values.json === true;
  const session = new Session(opened, options, io, json ? jsonRows(io) : textRows(io));
  try {
    announce(session, json, io);
    await runAndReport(session, json, io);
  } finally {
    session.close();
  }
  // Last, so that a file that cannot be written costs no maps and no ledger.
  if (values.journal !== undefined) io.writeFile(values.journal, toJson([...(opened.sim?.journal.entries() ?? [])]));
  return 0;
}

/** Maps and ledger are printed also where the host's kernel gave up: then they are wanted most. */
async function runAndReport(session: Session, json: boolean, io: CliIo): Promise<void> {
  try {
    await session.run();
    for (const text of session.iterators()) printIterator(text, json, io);
  } finally {
    session.stop();
    if (json) reportJson(session, io);
    else reportText(session, io);
  }
}

function announce({ machine }: Session, json: boolean, io: CliIo): void {
  const probes = machine.links.length;
  if (json) io.out(toJson({ type: 'attached_probes', data: { probes } }));
  else io.err(`attached ${probes} program${probes === 1 ? '' : 's'}`);
}

function printIterator({ program, target, text }: IterText, json: boolean, io: CliIo): void {
  if (json) io.out(toJson({ type: 'iter', data: { program, target, text } }));
  else for (const line of ['', `iter/${target} ${program}:`, ...text.trimEnd().split('\n')]) io.out(line);
}

function jsonRows(io: CliIo): SessionListener {
  return ({ map, cpu, type, value, data }) =>
    io.out(toJson({ type: 'event', map, cpu, struct: type, data: value ?? toHex(data, ' ') }));
}

function textRows(io: CliIo): SessionListener {
  const tables = new Map<string, EventTable>();
  return (event) => {
    const key = `${event.map} ${event.type}`;
    const table = tables.get(key) ?? new EventTable();
    tables.set(key, table);
    for (const row of table.rows(fieldsOf(event))) io.out(row);
  };
}

function fieldsOf({ value, data }: SessionEvent): Record<string, unknown> {
  return isFields(value) ? value : { data: toHex(data, ' ') };
}

function reportText(session: Session, io: CliIo): void {
  for (const report of describeMaps(session)) {
    io.out('');
    for (const line of mapReportLines(report)) io.out(line);
  }
  io.out('');
  for (const line of formatLedger(session.machine.finalLedgerRows()).trimEnd().split('\n')) io.out(line);
}

function reportJson(session: Session, io: CliIo): void {
  for (const report of describeMaps(session)) io.out(toJson({ type: report.kind, map: report.map, data: report.data }));
  for (const row of session.machine.finalLedgerRows()) io.out(toJson({ type: 'ledger', data: row }));
}
