import { ENGINES } from '../engines.js';
import type { BenchOptions } from '../options.js';
import type { Report } from '../report.js';
import { median, type Point, slope } from '../statistics.js';
import type { Effort } from '../stopwatch.js';
import type { Contender, Subject } from './contender.js';
import { engineContender } from './engine-contender.js';
import { linuxContender } from './linux-contender.js';
import { computeLines, type Figures } from './report-compute.js';
import { type Workload, WORKLOADS } from './workloads.js';

/**
 * The workloads on every engine and, where bpf(2) is to be had, on the kernel's JIT. One round measures everything
 * once, in turns, so that whatever else the machine does meets all of them; ratios are made within a round.
 */
export async function compute({ effort, only }: BenchOptions): Promise<Report> {
  const workloads = WORKLOADS.filter(({ name }) => only.length === 0 || only.includes(name));
  const { contenders, notes } = allContenders(effort);
  const figures: Figures[] = [];
  const failures: string[] = [];
  for (const workload of workloads) {
    const subjects = await loadAll(contenders, workload, failures);
    for (let round = 0; round < effort.rounds; round++) {
      figures.push(...(await measureRound(workload, subjects, round, effort)));
    }
  }
  for (const contender of contenders) contender.close();
  const names = contenders.map(({ name }) => name);
  return { lines: [...computeLines(names, workloads, figures), ...notes], data: figures, failures };
}

function allContenders(effort: Effort): { contenders: Contender[]; notes: string[] } {
  const engines = ENGINES.map((engine) => engineContender(engine, effort));
  const linux = linuxContender(effort);
  if ('unavailable' in linux)
    return { contenders: engines, notes: [`The kernel was not measured: ${linux.unavailable}.`] };
  return { contenders: [linux, ...engines], notes: [] };
}

interface LoadedSubject {
  readonly contender: string;
  readonly repeat: number;
  readonly subject: Subject;
}

async function loadAll(
  contenders: readonly Contender[],
  workload: Workload,
  failures: string[],
): Promise<LoadedSubject[]> {
  const loaded: LoadedSubject[] = [];
  for (const contender of contenders) {
    for (const repeat of workload.repeats) {
      const subject = await contender.load(workload, repeat);
      const { name, result } = workload;
      if (subject.result !== result) {
        failures.push(`${name} x${repeat} returned ${subject.result} on ${contender.name} instead of ${result}`);
      }
      loaded.push({ contender: contender.name, repeat, subject });
    }
  }
  return loaded;
}

async function measureRound(
  workload: Workload,
  subjects: readonly LoadedSubject[],
  round: number,
  effort: Effort,
): Promise<Figures[]> {
  const samples = subjects.map((): number[] => []);
  const forth = [...subjects.entries()];
  const back = forth.toReversed();
  for (let i = 0; i < effort.samples; i++) {
    // To and fro, so that none always follows the same neighbour.
    for (const [at, { subject }] of i % 2 === 0 ? forth : back) samples[at]?.push(await subject.sample());
  }
  const medians = new Map<string, Point[]>();
  for (const [at, { contender, repeat }] of subjects.entries()) {
    const points = medians.get(contender) ?? [];
    points.push([repeat, median(samples[at] ?? [])]);
    medians.set(contender, points);
  }
  return [...medians].map(([contender, points]) => ({
    workload: workload.name,
    contender,
    round,
    gross: points[0]?.[1] ?? Number.NaN,
    net: points.length > 1 ? slope(points) : undefined,
    points,
  }));
}
