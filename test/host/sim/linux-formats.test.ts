import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TraceEventDescriptor } from '../../../src/host/index.js';
import { createSim } from '../../../src/host/sim/index.js';

/** Recorded from a Debian guest by test/guest/trace-events.test.ts. */
const recorded = new Map(
  readFileSync(new URL('../../testdata/sim/linux-formats.txt', import.meta.url), 'utf8')
    .split('\n\n')
    .slice(1)
    .map((block): [string, string] => [block.slice(0, block.indexOf('\n')), block.slice(block.indexOf('\n') + 1)]),
);

/** Where the simulator's event is not Linux's, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  hrtimer_start: 'Debian has was_armed from a later release',
};

const events = createSim().tracepoints.list.flatMap((tracepoint) => tracepoint.events);

/** `TYPE NAME offset size`, one a line, without the common fields. */
function fieldsOf(format: string): string[] {
  return [...format.matchAll(/field:([^;]*);\toffset:(\d+);\tsize:(\d+);\tsigned:[01];/g)]
    .filter(([, declaration]) => !declaration.includes('common_'))
    .map(([, declaration, offset, size]) => `${declaration} ${offset} ${size}`);
}

function ownFields(event: TraceEventDescriptor): string[] {
  return event.fields.map(
    ({ type, name, arrayLength, offset, size }) =>
      `${type} ${name}${arrayLength > 0 ? `[${arrayLength}]` : ''} ${offset} ${size}`,
  );
}

/** The value of `a | b & ~c`, taken off the front of `tokens`. */
function unionOf(tokens: string[]): number {
  let value = conjunctionOf(tokens);
  while (tokens[0] === '|') {
    tokens.shift();
    value |= conjunctionOf(tokens);
  }
  return value;
}

function conjunctionOf(tokens: string[]): number {
  let value = termOf(tokens);
  while (tokens[0] === '&') {
    tokens.shift();
    value &= termOf(tokens);
  }
  return value;
}

function termOf(tokens: string[]): number {
  const token = tokens.shift();
  if (token === '~') return ~termOf(tokens);
  if (token !== '(') return Number(token);
  const value = unionOf(tokens);
  tokens.shift();
  return value;
}

/** `( gfp_t)0x40u) | …` and the like as the number that they are: the kernel's are spelled by its macros. */
function evaluated(printFmt: string): string {
  return printFmt.replaceAll(/\{\s*(\( ?unsigned long\)[^"]*?), "/g, (_, expression: string) => {
    const tokens = expression.replaceAll(/\( ?(?:unsigned long|gfp_t)\)/g, '').match(/0x[0-9a-f]+|\d+|[|&~()]/g) ?? [];
    return `{0x${unionOf(tokens).toString(16)}, "`;
  });
}

const printFmtOf = (format: string): string => /^print fmt: (.*)$/m.exec(format)?.[1] ?? '';

describe('trace events are those of Linux 6.1', () => {
  it('every event of the simulator is in the recording', () => {
    expect(events.filter(({ system, name }) => !recorded.has(`${system}/${name}`)).map(({ name }) => name)).toEqual([]);
    expect(events.length).toBeGreaterThan(100);
  });

  it.each(
    events.filter(({ name }) => !(name in OTHERWISE)).map((event) => [`${event.system}/${event.name}`, event] as const),
  )('%s', (name, event) => {
    const format = recorded.get(name) ?? '';
    expect(ownFields(event)).toEqual(fieldsOf(format));
    expect(event.printFmt).toBe(evaluated(printFmtOf(format)));
  });
});
