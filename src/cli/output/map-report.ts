import { formatLog2Histogram, log2Buckets, toJson } from '../../export/index.js';
import { BpfMapType, Errno, errnoName } from '../../base/index.js';
import type { BpfMap } from '../../runtime/index.js';
import type { Session } from '../session.js';
import { readMap } from './map-elements.js';
import { formatMapDump, type MapDump } from './map-dump.js';
import { printable } from './printable.js';
import { nameFrames, stackFrames, type Symbolize } from './stack-trace.js';

/** What is worth saying of one map when a run ends. */
export interface MapReport {
  readonly kind: 'hist' | 'stacks' | 'map';
  readonly map: string;
  /** For JSON output. */
  readonly data: unknown;
  readonly lines: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

interface Row {
  readonly key: unknown;
  readonly value: unknown;
}

const SILENT: ReadonlySet<number> = new Set([
  BpfMapType.BPF_MAP_TYPE_RINGBUF,
  BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
  BpfMapType.BPF_MAP_TYPE_PROG_ARRAY,
  BpfMapType.BPF_MAP_TYPE_STACK_TRACE,
]);

/** Stacks listed at most: the most frequent ones. */
const MAX_STACKS = 10;

/**
 * The maps of a run that hold anything, in the order of the object: values with a `slots` member as log2
 * histograms, keys with members named `*stack_id` as symbolised stacks, all else element by element. Data sections,
 * rings, the stacks themselves and maps whose names begin with `__` (a program's own bookkeeping) are left out.
 */
export function describeMaps(session: Session): MapReport[] {
  return [...session.collection.maps.values()]
    .filter((map) => !SILENT.has(map.type) && !/^(\.|__)/.test(map.name) && !isDataSection(map))
    .flatMap((map) => {
      const dump = readMap(map, session.btf, session.machine.runtime.cpus);
      return dump.elements.length === 0 ? [] : [describe(session, map, dump)];
    });
}

/** The report as text, headed by the map's name. */
export function mapReportLines({ map, lines }: MapReport): string[] {
  return [`@${map}:`, ...lines];
}

function isDataSection(map: BpfMap): boolean {
  return map.spec.contents !== undefined;
}

function describe(session: Session, map: BpfMap, dump: MapDump): MapReport {
  const rows = dump.perCpu
    ? []
    : dump.elements.flatMap(({ formatted }) =>
        formatted === undefined ? [] : [{ key: formatted.key, value: formatted.values[0] }],
      );
  if (rows.length > 0 && rows.every(({ value }) => slotsOf(value) !== undefined)) return histograms(map, rows);
  if (rows.length > 0 && rows.every(({ key }) => stackFields(key).length > 0)) return stacks(session, map, rows);
  return elements(map, dump);
}

function elements(map: BpfMap, dump: MapDump): MapReport {
  const data = dump.elements.map(({ key, values, formatted }) => ({
    key: formatted?.key ?? [...key],
    value: dump.perCpu
      ? (formatted?.values ?? values.map((value) => [...value]))
      : (formatted?.values[0] ?? [...values[0]]),
  }));
  const typed = dump.elements.every(({ formatted }) => formatted !== undefined);
  const lines = typed ? data.map(({ key, value }) => `[${plain(key)}]: ${plain(value)}`) : formatMapDump(dump, 'text');
  return { kind: 'map', map: map.name, data, lines };
}

function plain(value: unknown): string {
  if (typeof value === 'string') return printable(value);
  if (isFields(value)) return Object.values(value).map(plain).join(', ');
  return toJson(value);
}

function histograms(map: BpfMap, rows: readonly Row[]): MapReport {
  const data = rows.map(({ key, value }) => ({
    key,
    buckets: log2Buckets(slotsOf(value) ?? []).map(({ low, high, count }) => ({ min: low, max: high, count })),
  }));
  const lines = rows.flatMap(({ key, value }) => [
    `[${plain(key)}]`,
    ...formatLog2Histogram(slotsOf(value) ?? [], map.name),
    '',
  ]);
  return { kind: 'hist', map: map.name, data, lines: lines.slice(0, -1) };
}

function slotsOf(value: unknown): readonly (number | bigint)[] | undefined {
  const slots = isFields(value) ? value['slots'] : undefined;
  const numbers = Array.isArray(slots) && slots.every((slot) => typeof slot === 'number' || typeof slot === 'bigint');
  return numbers ? slots : undefined;
}

function stackFields(key: unknown): string[] {
  return isFields(key) ? Object.keys(key).filter((name) => name.endsWith('stack_id') || name.endsWith('stackid')) : [];
}

function stacks(session: Session, map: BpfMap, rows: readonly Row[]): MapReport {
  const traces = [...session.collection.maps.values()].find(({ type }) => type === BpfMapType.BPF_MAP_TYPE_STACK_TRACE);
  const sorted = rows.toSorted((a, b) => Number(countOf(b) - countOf(a)));
  const described = sorted.map(({ key, value }) => {
    const fields = key as Fields;
    const symbolize = symbolizer(session, fields);
    const frames = stackFields(key).flatMap((name) => {
      const id = Number(fields[name]);
      const found = traces === undefined ? undefined : stackFrames(traces, id);
      return found === undefined ? missed(name, id) : nameFrames(found, symbolize);
    });
    const rest = Object.entries(fields).filter(([name]) => !stackFields(key).includes(name));
    return { key: Object.fromEntries(rest), stack: frames, count: value };
  });
  const lines = described
    .slice(0, MAX_STACKS)
    .flatMap(({ key, stack, count }) => [
      ...stack.map((frame) => `    ${frame}`),
      `    [${plain(key)}]: ${plain(count)}`,
      '',
    ]);
  if (described.length > MAX_STACKS) lines.push(`    and ${described.length - MAX_STACKS} less frequent stacks`, '');
  return { kind: 'stacks', map: map.name, data: described, lines: lines.slice(0, -1) };
}

/** What stands for a stack that bpf_get_stackid could not keep: nothing where there was none to keep. */
function missed(field: string, id: number): string[] {
  const whose = field.includes('user') ? 'user' : 'kernel';
  return id >= 0 || id === -Errno.EFAULT ? [] : [`[Missed ${whose} stack: ${errnoName(-id) ?? id}]`];
}

/** How often a stack was seen, or the first of what is counted there; 0 for values that are no counts. */
function countOf({ value: counted }: Row): bigint {
  const value = isFields(counted) ? Object.values(counted)[0] : counted;
  return typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : 0n;
}

/** Kernel symbols for all; those of the process that the key names, by its pid and comm. */
function symbolizer({ host, userSymbols }: Session, key: Fields): Symbolize {
  const pid = key['tgid'] ?? key['pid'];
  const comm = key['comm'];
  const process = { tgid: typeof pid === 'number' ? pid : -1, ...(typeof comm === 'string' ? { comm } : {}) };
  return (address, isReturn) => {
    const symbol = host.symbols.at(isReturn ? address - 1n : address);
    if (symbol !== undefined) return `${symbol.name}+0x${(address - symbol.address).toString(16)}`;
    return userSymbols.format(address, process, isReturn);
  };
}

/** Whether a decoded value is a struct. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
