import { type JournalEntry, JournalKind as Kind } from '../../src/host/sim/index.js';
import { countBy, log2 } from './journal-models.js';
import { decode, type Layout, slots } from './layout.js';
import type { ToolSession, ToolSetup, Workload } from './tool-session.js';

/** What a tool delivered, and what it should have by the journal: texts in any order. */
export interface Comparison {
  readonly delivered: readonly string[];
  readonly journal: readonly string[];
  /** Events, or values that were added up. */
  readonly count: number;
}

export interface Tool extends ToolSetup {
  readonly name: string;
  readonly workload: Workload;
  /** What is compared, for the table. */
  readonly compares: string;
  /** Which fields are not compared, and why; without it, every field of every event or element is. */
  readonly leavesOut?: string;
  readonly compare: (session: ToolSession) => Comparison;
}

export const MIXED: Workload = { workload: 'mixed', seed: 3 };
export const IO: Workload = { workload: 'io', seed: 3 };
export const WEB: Workload = { workload: 'web', seed: 3 };

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

export function rows(delivered: readonly unknown[], journal: readonly unknown[]): Comparison {
  return {
    delivered: delivered.map(String).toSorted(),
    journal: journal.map(String).toSorted(),
    count: delivered.length,
  };
}

export function sums(delivered: readonly string[], journal: readonly string[], count: number): Comparison {
  return { delivered: delivered.toSorted(), journal: journal.toSorted(), count };
}

export function events<const L extends Layout>(session: ToolSession, layout: L): ReturnType<typeof decode<L>>[] {
  return session.events.map(({ data }) => decode(layout, data));
}

export const syscalls = (session: ToolSession, number: bigint): JournalEntry[] =>
  session.journal(Kind.SYSCALL_EXIT).filter(({ b }) => b === number);

/** Slots of each key's histogram added up. */
export function totals(
  session: ToolSession,
  map: string,
  count: number,
  keyOf: (key: Uint8Array) => unknown,
): string[] {
  return countBy(
    session.elements(map),
    ({ key }) => keyOf(key),
    ({ value }) => sum(slots(value, count)),
  );
}

export const u32 = (bytes: Uint8Array): number => slots(bytes, 1)[0] ?? 0;

export const fentries = (names: Readonly<Record<string, string>>): ToolSetup['targets'] =>
  Object.fromEntries(
    Object.entries(names).flatMap(([program, name]) => [
      [`${program}_fentry`, { kind: 'fentry', name }],
      [`${program}_fexit`, { kind: 'fexit', name }],
    ]),
  );

/** Texts `KEY: SLOT=COUNT ...`, sorted, of how many values of each key fall into each slot. */
export function histograms<T>(items: Iterable<T>, keyOf: (item: T) => string, slotOf: (item: T) => number): string[] {
  const counts = new Map<string, Map<number, number>>();
  for (const item of items) {
    const slot = slotOf(item);
    const found = counts.get(keyOf(item)) ?? new Map<number, number>();
    found.set(slot, (found.get(slot) ?? 0) + 1);
    counts.set(keyOf(item), found);
  }
  return [...counts].map(([key, found]) => `${key}: ${slotTexts([...found].toSorted(([a], [b]) => a - b))}`).toSorted();
}

/** The same of a histogram that was filled. */
export function histogram(key: string, filled: readonly number[]): string {
  return `${key}: ${slotTexts([...filled.entries()].filter(([, count]) => count > 0))}`;
}

const slotTexts = (found: readonly (readonly [number, number])[]): string =>
  found.map(([slot, count]) => `${slot}=${count}`).join(' ');

/** Of log2 of a value, as the tools count it: what is too large falls into the last slot. */
export const slotOf = (value: bigint, count: number): number => Math.min(log2(value), count - 1);
