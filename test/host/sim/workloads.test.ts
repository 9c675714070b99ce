import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim } from '../../../src/host/sim/index.js';

const scripts = readdirSync(new URL('../../../src/host/sim/root/etc', import.meta.url))
  .filter((name) => name.startsWith('rc.'))
  .map((name) => name.slice('rc.'.length));

describe('workloads', () => {
  it.each(scripts)('%s can be asked for', (workload) => {
    expect(() => createSim({ workload })).not.toThrow();
  });

  it('that the disk lacks are refused, and those it has are named', () => {
    const unknown = (): unknown => createSim({ workload: 'idle' });
    expect(unknown).toThrow(/no workload idle .*ENOENT; there are /);
    for (const name of scripts) expect(unknown).toThrow(name);
  });
});
