import { exponent, median, type Point, spreadOf } from '../statistics.js';
import { formatTable } from '../table.js';
import { atMost } from '../target.js';
import type { MemoryFigures } from './memory.js';

/** Microseconds, of one program, from its instructions to the end of its first run. */
export interface Steps {
  readonly check: number;
  /** From a checked program to one that can be run. */
  readonly compile: number;
  readonly firstRun: number;
}

export interface CompileRow {
  readonly engine: string;
  readonly size: number;
  /** Programs of the object. */
  readonly programs: number;
  /** Medians of each round. */
  readonly rounds: readonly Steps[];
}

/** The first program of the process, of 100 instructions. */
export interface ColdStart {
  readonly engine: string;
  readonly steps: Steps;
}

export interface CompileFigures {
  readonly rows: readonly CompileRow[];
  readonly cold: readonly ColdStart[];
  readonly memory: readonly MemoryFigures[];
  /** Why there is no row of the kernel's. */
  readonly unavailable: string | undefined;
}

/** Microseconds that runnable and first run shall take at most, by the number of instructions. */
const MOST_US: Readonly<Record<number, number>> = { 100: 150, 1000: 1000, 10_000: 8000 };
const MOST_EXPONENT = 1.15;
const MOST_MIB = 64;

export function compileLines({ rows, cold, memory, unavailable }: CompileFigures): string[] {
  const sorted = rows.toSorted(
    (a, b) => a.engine.localeCompare(b.engine) || a.size - b.size || a.programs - b.programs,
  );
  const engines = [...new Set(sorted.map(({ engine }) => engine))];
  return [
    ...formatTable(
      [
        'engine',
        'insns',
        'programs',
        'check us',
        'runnable',
        'least',
        'most',
        'first run',
        'us/insn',
        'kernel',
        'target',
      ],
      sorted.map((row) => cellsOf(row, sorted)),
    ),
    '',
    ...engines.map((engine) => fitOf(engine, sorted, cold)),
    '',
    'Microseconds of one program, of a process that is warm. Runnable is from the checked program to one that can be run;',
    'the first run of compiled code pays for the machine code. The kernel verifies, compiles and answers; kernel is the',
    'ratio of runnable and first run to that.',
    ...(unavailable === undefined ? [] : [`No row of the kernel: ${unavailable}`]),
    '',
    ...memoryLines(memory),
  ];
}

function cellsOf(row: CompileRow, rows: readonly CompileRow[]): string[] {
  const { engine, size, programs, rounds } = row;
  const runnable = spreadOf(rounds.map(({ compile }) => compile));
  const of = (key: keyof Steps): number => median(rounds.map((each) => each[key]));
  const kernel = rows.find((each) => each.engine === 'linux' && each.size === size);
  const us = [of('check'), runnable.median, runnable.least, runnable.most, of('firstRun')].map((each) =>
    each.toFixed(1),
  );
  const ratio = kernel === undefined ? '-' : (total(row) / total(kernel)).toFixed(2);
  const limit = engine === 'jit' ? MOST_US[size] : undefined;
  const target = limit === undefined ? '' : atMost(limit, runnable.median);
  return [engine, String(size), String(programs), ...us, (runnable.median / size).toFixed(3), ratio, target];
}

function total({ rounds }: CompileRow): number {
  return median(rounds.map(({ compile, firstRun }) => compile + firstRun));
}

function fitOf(engine: string, rows: readonly CompileRow[], cold: readonly ColdStart[]): string {
  const points = rows
    .filter((row) => row.engine === engine && row.programs === 1)
    .map((row): Point => [row.size, total(row)]);
  const large = points.filter(([size]) => size >= 100);
  const first = cold.find((each) => each.engine === engine)?.steps;
  const coldText =
    first === undefined
      ? ''
      : `; the first program of the process, 100 instructions: ${(first.compile + first.firstRun).toFixed(0)} us`;
  return `${engine}: time with the first run ~ size^${exponent(points).toFixed(2)}, from 100 on size^${exponent(large).toFixed(2)} (target ${atMost(MOST_EXPONENT, exponent(large))})${coldText}`;
}

function memoryLines(memory: readonly MemoryFigures[]): string[] {
  return formatTable(
    ['1,000 programs of 100 instructions, MiB', 'loaded', 'unloaded', 'loaded again', 'unloaded again', 'target'],
    memory.map(({ engine, loaded, unloaded, loadedAgain, unloadedAgain }) => [
      engine,
      ...[loaded, unloaded, loadedAgain, unloadedAgain].map((mib) => mib.toFixed(1)),
      engine === 'jit' ? atMost(MOST_MIB, loaded) : '',
    ]),
  );
}
