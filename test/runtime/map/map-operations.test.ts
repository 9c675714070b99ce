import { describe, expect, it } from 'vitest';
import { BpfMapType } from '../../../src/base/index.js';
import type { MapSpec } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { GOLDEN_CPUS, callLinux, callOurs, lineOf, scripts, type Script } from './operation-scripts.js';

const GOLDEN = new URL('../../testdata/map/operations.txt', import.meta.url);

const PER_CPU: readonly number[] = [
  BpfMapType.BPF_MAP_TYPE_PERCPU_ARRAY,
  BpfMapType.BPF_MAP_TYPE_PERCPU_HASH,
  BpfMapType.BPF_MAP_TYPE_LRU_PERCPU_HASH,
];

function specOf({ type, sizes }: Script): MapSpec {
  return { name: 'm', type, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, keyTypeId: 0, valueTypeId: 0, ...sizes };
}

function sysValueSize({ type, valueSize }: MapSpec): number {
  return PER_CPU.includes(type) ? Math.ceil(valueSize / 8) * 8 * GOLDEN_CPUS : valueSize;
}

function runOurs(script: Script): string[] {
  const spec = specOf(script);
  const map = createMap({ memory: new BpfMemory(), cpus: GOLDEN_CPUS, id: 1 }, spec);
  return script.calls.map((call) => lineOf(script, call, callOurs(map, call, sysValueSize(spec))));
}

describe.skipIf(recording())('map system calls as the kernel answered them', () => {
  it.each(scripts)('$title', (script) => {
    const golden = readGolden(GOLDEN).lines.filter((line) => line.startsWith(`${script.title} |`));
    expect(runOurs(script)).toEqual(golden);
  });
});

describeWithLinux('map system calls, live', (linux) => {
  it.skipIf(linux.cpus !== GOLDEN_CPUS)('are what the golden says', async () => {
    const live: string[] = [];
    for (const script of scripts) {
      const spec = specOf(script);
      const slot = linux.slot();
      void linux.mapCreate(slot, spec);
      for (const call of script.calls) {
        live.push(lineOf(script, call, await callLinux(linux, slot, call, spec.keySize, sysValueSize(spec))));
      }
      await linux.close(slot);
    }
    if (recording()) writeGolden(GOLDEN, { release: linux.release, lines: live });
    expect(live).toEqual(readGolden(GOLDEN).lines);
  });
});

describe('a map', () => {
  const memory = new BpfMemory();
  const map = createMap({ memory, cpus: 2, id: 7 }, specOf({ title: '', type: 1, sizes: {}, calls: [] }));

  it('refuses keys and values of the wrong length as a mistake of the caller', () => {
    expect(() => map.sysLookup(new Uint8Array(3))).toThrow('map "m": the key has 3 bytes, not 4');
    expect(() => map.sysUpdate(new Uint8Array(4), new Uint8Array(9))).toThrow('map "m": the value has 9 bytes, not 8');
  });

  it('lives until its last reference goes', () => {
    map.retain();
    map.release();
    expect(map.sysUpdate(new Uint8Array(4), new Uint8Array(8))).toBe(0);
    expect(map.memoryUsage).toBeGreaterThan(100);
    map.release();
    expect(memory.used).toBe(0);
  });
});
