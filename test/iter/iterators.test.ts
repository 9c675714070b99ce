import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim, JournalKind, type SimHost } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { type AttachOptions, type Link, Machine } from '../../src/machine/index.js';
import { type BpfMap, createInterpreter } from '../../src/runtime/index.js';

const OBJECT = new URL('../testdata/hook-objects/iter.bpf.o', import.meta.url);

class Walk {
  readonly host: SimHost;
  readonly machine: Machine;
  readonly collection: Collection;

  constructor(programs: readonly string[], interpreted = false) {
    this.host = createSim({ workload: 'mixed', seed: 11 });
    this.machine = new Machine(this.host, interpreted ? { engine: createInterpreter() } : {});
    this.collection = Collection.load(CollectionSpec.parse(readFileSync(OBJECT)), this.machine.runtime, { programs });
    this.host.run({ ns: 6_000_000 });
  }

  map(name: string): BpfMap {
    const map = this.collection.maps.get(name);
    if (map === undefined) throw new RangeError(`no map ${name}`);
    return map;
  }

  attach(name: string, options: AttachOptions = {}): Link {
    const found = this.collection.programs.get(name);
    if (found === undefined) throw new RangeError(`no program ${name}`);
    return this.machine.attach(found.program, found.attach, options);
  }

  text(name: string, options: AttachOptions = {}): string {
    return this.attach(name, options).openIter().text();
  }

  /** Fills a map of u32 -> u64 with squares. */
  fill(name: string, count: number): void {
    const map = this.map(name);
    for (let i = 0; i < count; i++) expect(map.sysUpdate(u32(i), u64(BigInt(i * i)))).toBe(0);
  }

  /** Processes that the journal knows to live. */
  living(): number[] {
    const alive = new Set([1]);
    const reaped = new Set<number>();
    for (const { kind, a, b } of this.host.journal.entries()) {
      if (kind === JournalKind.FORK) alive.add(Number(b & 0xffff_ffffn));
      if (kind === JournalKind.REAP) reaped.add(Number(b));
      if (kind === JournalKind.EXIT && a >> 32n !== (a & 0xffff_ffffn)) reaped.add(Number(a & 0xffff_ffffn));
    }
    return [...alive].filter((pid) => !reaped.has(pid)).toSorted((x, y) => x - y);
  }
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function u64(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

describe.each([
  ['compiled', false],
  ['interpreted', true],
])('iter/task, %s', (_name, interpreted) => {
  const walk = new Walk(['dump_task', 'binary_task', 'endless'], interpreted);

  it('shows every task once, by thread id, with a head and an end', () => {
    const lines = walk.text('dump_task', { cookie: 77n }).trimEnd().split('\n');
    expect(lines[0]).toBe('    tgid      pid comm');
    expect(lines.at(-1)).toBe('end of session 1, cookie 77');
    const pids = lines.slice(1, -1).map((line) => Number(line.slice(8, 17)));
    expect(pids).toEqual(pids.toSorted((a, b) => a - b));
    expect(pids).toEqual(expect.arrayContaining(walk.living()));
    expect(pids.length).toBeGreaterThan(3);
    for (const line of lines.slice(1, -1)) {
      expect(walk.host.tasks.commOf(Number(line.slice(8, 17)))).toBe(line.slice(18));
    }
  });

  it('gives the bytes that bpf_seq_write wrote, in reads of any size', () => {
    const whole = walk.attach('binary_task').openIter().read();
    const file = walk.attach('binary_task').openIter();
    const parts: number[] = [];
    for (let bytes = file.read(3); bytes.length > 0; bytes = file.read(3)) {
      expect(bytes.length).toBeLessThanOrEqual(3);
      parts.push(...bytes);
    }
    expect(parts).toEqual([...whole]);
    expect(whole.length % 4).toBe(0);
  });

  it('can be asked for one thread, or the threads of one process', () => {
    const pids = (options: AttachOptions): number[] => [
      ...new Int32Array(walk.attach('binary_task', options).openIter().read().slice().buffer),
    ];
    expect(pids({ tid: 1 })).toEqual([1]);
    expect(pids({ pid: 1 })).toEqual([1]);
    expect(() => walk.attach('binary_task', { pid: 1, tid: 1 })).toThrow(/EINVAL/);
  });

  it('asks again for a task that the program did not want yet: EAGAIN at first', () => {
    walk.collection.variables.get('refusals')?.set(1n);
    const file = walk.attach('dump_task').openIter();
    expect(() => file.read()).toThrow(/EAGAIN/);
    expect(file.text()).toContain('\n       1        1 init\n');
  });

  it('is E2BIG where the text of one object is longer than the buffer', () => {
    expect(() => walk.attach('endless').openIter().read()).toThrow(/E2BIG; an object takes 32768 bytes/);
  });
});

describe('iter/task_file', () => {
  it('shows the open files of all processes', () => {
    const rows = new Walk(['dump_task_file']).text('dump_task_file').trimEnd().split('\n');
    expect(rows).toContain('1 0 console');
    expect(rows.length).toBeGreaterThan(5);
    const keys = rows.map((row) => row.split(' ').slice(0, 2).map(Number));
    const inOrder = keys.toSorted(([a, x], [b, y]) => a - b || x - y);
    expect(keys).toEqual(inOrder);
  });
});

describe('iter/bpf_map', () => {
  it('shows the maps by id, with name, sizes and room', () => {
    const walk = new Walk(['dump_map']);
    const rows = walk.text('dump_map').trimEnd().split('\n');
    const maps = [...walk.machine.runtime.maps];
    expect(rows).toEqual(
      maps.map((map) => `${map.id} ${map.name.slice(0, 15)} ${map.keySize}/${map.valueSize} ${map.maxEntries}`),
    );
  });
});

describe('iter/bpf_map_elem', () => {
  const walk = new Walk(['dump_elem', 'sum_elem']);

  it('shows each element of a hash once, and may change its value', () => {
    walk.fill('counts', 4000);
    const lines = walk
      .text('dump_elem', { map: walk.map('counts') })
      .trimEnd()
      .split('\n');
    expect(lines.pop()).toBe('end of counts');
    expect(new Set(lines)).toEqual(new Set(Array.from({ length: 4000 }, (_, i) => `counts[${i}] = ${i * i}`)));
    expect(lines).toHaveLength(4000);
    expect(walk.map('counts').sysLookup(u32(63))).toEqual(u64(0n));
  });

  it('shows the values of all CPUs of a per-CPU map', () => {
    for (let i = 0; i < 4; i++) walk.map('percpu').sysUpdate(u32(i), u64(BigInt(i), BigInt(10 * i)));
    expect(walk.text('sum_elem', { map: walk.map('percpu') })).toBe('0: 0 + 0\n1: 1 + 10\n2: 2 + 20\n3: 3 + 30\n');
  });

  it('needs a map whose elements can be walked', () => {
    expect(() => walk.attach('dump_elem')).toThrow(/EBADF/);
  });

  it('holds its map, and ends with its link', () => {
    const link = walk.attach('sum_elem', { map: walk.map('percpu') });
    const file = link.openIter();
    link.detach();
    expect(file.closed).toBe(true);
    expect(() => file.read()).toThrow(/EBADF/);
    expect(() => link.openIter()).toThrow(/ENOENT|detached/);
  });
});

it('an unknown target is named, with those there are', () => {
  const walk = new Walk(['dump_task']);
  const program = walk.collection.programs.get('dump_task')?.program;
  if (program === undefined) throw new Error('the program is not there');
  expect(() => walk.machine.attach(program, { kind: 'iter', target: 'tcp' })).toThrow(
    /iterator tcp.*ESRCH; there are: task, task_file, bpf_map, bpf_map_elem/,
  );
});
