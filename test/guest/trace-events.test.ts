import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSim } from '../../src/host/sim/index.js';
import { recording } from '../oracle/golden.js';
import { guestImage } from './guest-image.js';
import { grammarText, mineGrammar, parseGrammars, refusal } from '../support/event-grammar.js';
import { parseTraceLine, sequencesOf, TRACED } from '../support/event-sequences.js';
import { type GuestTrace, traceGuest } from './trace-events/boot.js';

const formats = new URL('../testdata/sim/linux-formats.txt', import.meta.url);
const orders = new URL('../testdata/sim/linux-orders.txt', import.meta.url);

/** All events of the simulator. */
const events = createSim()
  .tracepoints.list.flatMap((tracepoint) => tracepoint.events)
  .map(({ system, name }) => `${system}/${name}`);

function record(file: URL, text: string): void {
  if (!recording()) return;
  mkdirSync(new URL('./', file), { recursive: true });
  writeFileSync(file, text);
}

describe('trace events of a Debian kernel', () => {
  let guest: GuestTrace;

  beforeAll(async () => {
    const { kernel } = await guestImage('x86_64');
    guest = await traceGuest(kernel, events, TRACED);
  }, 200_000);

  it('have the formats that are recorded', () => {
    const text = [
      `# Linux ${guest.release}`,
      ...events.flatMap((event) => ['', event, guest.formats.get(event)?.trimEnd() ?? 'absent']),
      '',
    ].join('\n');
    record(formats, text);
    expect(text).toBe(readFileSync(formats, 'utf8'));
  });

  it('come in the orders that are recorded', () => {
    const traced = guest.lines.map(parseTraceLine).filter((event) => event !== null);
    const sequences = sequencesOf(traced);
    const text = [
      `# Linux ${guest.release}`,
      ...[...sequences].map(([name, mined]) => grammarText(name, mineGrammar(mined))),
      '',
    ].join('\n');
    for (const [name, mined] of sequences) expect(mined.length, name).toBeGreaterThan(20);
    record(orders, text);
    // What a boot happens not to show is no difference; what it shows besides is.
    const known = parseGrammars(readFileSync(orders, 'utf8'));
    for (const [name, mined] of sequences) {
      const grammar = known.get(name);
      expect(grammar, name).toBeDefined();
      if (grammar !== undefined)
        expect(mined.map((sequence) => refusal(grammar, sequence)).filter(Boolean)).toEqual([]);
    }
  });
});
