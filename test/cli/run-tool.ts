import { expect } from 'vitest';
import { kscope } from './capture-io.js';
import { all, type Entry, readJournal } from './journal-file.js';

export type Row = Readonly<Record<string, string | number>>;

/** What a tool of examples/ said, and what the simulator did. */
export interface ToolRun {
  readonly rows: Row[];
  readonly maps: { readonly map: string; readonly data: unknown }[];
  readonly journal: Entry[];
  readonly ledger: { readonly name: string; readonly seen: number; readonly delivered: number }[];
}

export async function runTool(tool: string, workload: string, ...options: string[]): Promise<ToolRun> {
  const args = ['run', `examples/${tool}.bpf.o`, '--workload', workload, '--json', '--journal', 'j', ...options];
  const { code, out, err, files } = await kscope(args);
  expect({ code, err }).toEqual({ code: 0, err: [] });
  const lines = out.map((line) => JSON.parse(line) as { type: string; map: string; data: unknown });
  return {
    rows: lines.filter(({ type }) => type === 'event').map(({ data }) => data as Row),
    maps: lines.filter(({ type }) => ['stacks', 'map', 'hist'].includes(type)),
    ledger: lines.filter(({ type }) => type === 'ledger').map(({ data }) => data as ToolRun['ledger'][number]),
    journal: readJournal(files.get('j') ?? '[]'),
  };
}

/** Process of an entry that begins with a task. */
export const tgidOf = ({ a }: Entry): number => Number(a >> 32n);
export const pidOf = ({ a }: Entry): number => Number(a & 0xffff_ffffn);

/** Pids of the processes that became the program, in order. */
export const processesOf = (journal: readonly Entry[], path: string): number[] =>
  all(journal, 'EXEC')
    .filter(({ text }) => text === path)
    .map(tgidOf);
