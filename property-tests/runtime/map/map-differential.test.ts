import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfMapType } from '../../../src/base/index.js';
import { describeWithLinux } from '../../../test/oracle/linux.js';
import { mapScenarios, runLinux, runOurs } from './map-operations.js';

/** Sequences per map type; each makes 15 to 30 system calls on both sides. */
const RUNS = Number(process.env['KSCOPE_MAP_RUNS'] ?? 150);

const types = [
  'BPF_MAP_TYPE_HASH',
  'BPF_MAP_TYPE_ARRAY',
  'BPF_MAP_TYPE_PERCPU_ARRAY',
  'BPF_MAP_TYPE_PERCPU_HASH',
  'BPF_MAP_TYPE_LRU_HASH',
  'BPF_MAP_TYPE_LRU_PERCPU_HASH',
  'BPF_MAP_TYPE_PERF_EVENT_ARRAY',
  'BPF_MAP_TYPE_PROG_ARRAY',
  'BPF_MAP_TYPE_STACK_TRACE',
  'BPF_MAP_TYPE_RINGBUF',
] as const;

describeWithLinux('maps answer as the kernel', (linux) => {
  it.each(types)('%s: errno, bytes and iteration order of random system calls', async (name) => {
    const property = fc.asyncProperty(mapScenarios(BpfMapType[name], linux.cpus, 30), async (scenario) => {
      expect(runOurs(scenario, linux.cpus)).toEqual(await runLinux(scenario, linux));
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
