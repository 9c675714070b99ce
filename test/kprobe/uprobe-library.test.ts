import { describe, expect, it } from 'vitest';
import { BpfError } from '../../src/base/index.js';
import { createSim, type SimHost } from '../../src/host/sim/index.js';
import { insnBoundaries, type Uprobe, UprobeRegistry } from '../../src/kprobe/index.js';
import { functionOf } from './uprobe-workload.js';

/** Nothing here depends on time or on which CPU runs what. */
const SCRIPT = [
  'export A=b',
  'env A',
  'cat /etc/motd',
  'curl 80 / 0 nobody',
  'cc1 /src/none /tmp/x',
  'workers 1 3',
].join('\n');
const FILES = ['/lib/libc.so.6', '/lib/ld.so', '/bin/sh'];
const PARTS = 3;

interface Place {
  readonly path: string;
  readonly offset: number;
}

/** Every instruction of every function of the file. */
function placesIn(host: SimHost, path: string): Place[] {
  const file = host.userText.open(path);
  const functions = [...(host.programs.get(path) ?? [])].filter(({ type, size }) => /^[tT]$/.test(type) && size > 0n);
  return functions.flatMap(({ name }) => {
    const { offset, size } = functionOf(host, path, name);
    const code = new Uint8Array(size);
    if (file === null || !host.userText.read(file, offset, code)) throw new Error(`no text of ${name}`);
    return insnBoundaries(host.arch.probing, code).map((at) => ({ path, offset: offset + at }));
  });
}

/** How often each place is executed, by path and offset: a run without probes. */
function executions(): { counts: Map<string, number>; console: string } {
  const host = createSim({ script: SCRIPT });
  const counts = new Map<string, number>();
  const ids = new Int32Array(2);
  const place = { file: 0, offset: 0 };
  const paths = new Map(FILES.map((path) => [host.userText.open(path)?.id, path]));
  host.traceInstructions((_cpu, lo, hi) => {
    if (hi < 0 || (lo === 0 && hi === 0)) return;
    host.tasks.pidTgid(ids);
    if (!host.userText.locate(lo, hi, place)) return;
    const path = paths.get(place.file);
    if (path === undefined) return;
    const key = `${path}+${place.offset}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  expect(host.run()).toBe('finished');
  return { counts, console: host.console };
}

function register(uprobes: UprobeRegistry, places: readonly Place[]): { probes: Map<string, Uprobe>; refused: number } {
  const probes = new Map<string, Uprobe>();
  let refused = 0;
  for (const place of places) {
    try {
      probes.set(`${place.path}+${place.offset}`, uprobes.register(place));
    } catch (error) {
      expect(error).toBeInstanceOf(BpfError);
      refused++;
    }
  }
  return { probes, refused };
}

describe('a uprobe on every instruction of a library, its linker and a position-independent program', () => {
  const plain = executions();
  const all = FILES.flatMap((path) => placesIn(createSim(), path));

  it.each(Array.from({ length: PARTS }, (_, part) => part))('is met as often as it is executed: part %i', (part) => {
    const host = createSim({ script: SCRIPT });
    const places = all.filter((_place, i) => i % PARTS === part);
    const { probes, refused } = register(new UprobeRegistry(host), places);
    expect(host.run()).toBe('finished');
    expect(host.console).toBe(plain.console);
    const hits = [...probes].map(([key, { nhit }]) => `${key}: ${nhit}`);
    expect(hits).toEqual([...probes.keys()].map((key) => `${key}: ${plain.counts.get(key) ?? 0}`));
    // syscall and ud2.
    expect(refused).toBeLessThan(places.length / 50);
    expect([...probes.values()].filter(({ nhit }) => nhit > 0).length).toBeGreaterThan(places.length / 3);
  });

  it('takes in all that they consist of', () => {
    for (const path of FILES) expect(all.filter((place) => place.path === path).length).toBeGreaterThan(200);
  });
});
