import { expect, it, vi } from 'vitest';
import { createSim, type SimHost } from '../../src/host/sim/index.js';
import { kscope } from './capture-io.js';

/** A machine in whose text a breakpoint stands that nobody will ever know. */
function brokenSim(): SimHost {
  const sim = createSim({ workload: 'io' });
  const address = sim.symbols.lookup('do_unlinkat')?.address ?? 0n;
  const first = new Uint8Array(1);
  sim.memory.readKernel(Number(address & 0xffff_ffffn) | 0, Number(address >> 32n) | 0, first, 0, 1);
  expect(sim.text.patch(address, first, Uint8Array.of(0xcc))).toBe(true);
  return sim;
}

vi.mock('../../src/cli/hosts/open-host.js', () => ({
  openHost: () => {
    const sim = brokenSim();
    return Promise.resolve({ host: sim, sim, slice: 1_000_000n, close: () => sim.close() });
  },
}));

it.each([['text'], ['json']])(
  'run prints maps and ledger in %s also where the kernel gave up, and fails',
  async (form) => {
    const { code, out, err } = await kscope([
      'run',
      'examples/opensnoop.bpf.o',
      ...(form === 'json' ? ['--json'] : []),
    ]);
    expect(code).toBe(1);
    expect(err.join('\n')).toMatch(/the kernel of host sim gave up: /);
    const probes = out.filter((line) => line.includes('tracepoint:syscalls:sys_enter_openat'));
    expect(probes).toHaveLength(1);
    expect(probes[0]).not.toMatch(/seen\W+0/);
  },
);
