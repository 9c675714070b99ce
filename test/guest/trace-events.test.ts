import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSim } from '../../src/host/sim/index.js';
import { recording } from '../oracle/golden.js';
import { guestImage } from './guest-image.js';
import { type GuestTrace, traceGuest } from './trace-events/boot.js';

const formats = new URL('../testdata/sim/linux-formats.txt', import.meta.url);

/** All events of the simulator. */
const events = createSim()
  .tracepoints.list.flatMap((tracepoint) => tracepoint.events)
  .map(({ system, name }) => `${system}/${name}`);

describe('trace events of a Debian kernel', () => {
  let guest: GuestTrace;

  beforeAll(async () => {
    const { kernel } = await guestImage('x86_64');
    guest = await traceGuest(kernel, events, []);
  }, 200_000);

  it('have the formats that are recorded', () => {
    const text = [
      `# Linux ${guest.release}`,
      ...events.flatMap((event) => ['', event, guest.formats.get(event)?.trimEnd() ?? 'absent']),
      '',
    ].join('\n');
    if (recording()) {
      mkdirSync(new URL('./', formats), { recursive: true });
      writeFileSync(formats, text);
    }
    expect(text).toBe(readFileSync(formats, 'utf8'));
  });
});
