import { toJson } from '../../export/index.js';
import { printable } from './printable.js';

const MOST_OF_AN_ARRAY = 32;

/** Decoded events as rows of text under a header that is made from the first event's fields. */
export class EventTable {
  readonly #widths = new Map<string, number>();

  /** The lines for one event: the header line first if this is the first event. */
  rows(event: Record<string, unknown>): string[] {
    const names = Object.keys(event);
    const lines: string[] = [];
    if (this.#widths.size === 0) {
      for (const name of names) this.#widths.set(name, columnWidth(name, event[name]));
      lines.push(this.#line(names, (name) => name.toUpperCase()));
    }
    lines.push(this.#line(names, (name) => cellText(event[name])));
    return lines;
  }

  #line(names: readonly string[], text: (name: string) => string): string {
    return names
      .map((name) => text(name).padEnd(this.#widths.get(name) ?? 0))
      .join(' ')
      .trimEnd();
  }
}

function columnWidth(name: string, value: unknown): number {
  if (typeof value === 'bigint') return Math.max(name.length, 12);
  if (typeof value === 'string') return Math.max(name.length, 16);
  // A byte takes up to three digits and a comma.
  if (Array.isArray(value)) return Math.max(name.length, Math.min(4 * value.length + 1, MOST_OF_AN_ARRAY));
  return Math.max(name.length, 6);
}

function cellText(value: unknown): string {
  return printable(typeof value === 'string' ? value : toJson(value));
}
