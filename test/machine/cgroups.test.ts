import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createSim, JournalKind as Kind } from '../../src/host/sim/index.js';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { Machine } from '../../src/machine/index.js';
import { cgroupById, CgroupArrayMap, RingBufferMap } from '../../src/runtime/index.js';
import { runToEnd } from '../host/sim/kernel-machine.js';
import { instance } from '../support/instance.js';

const SCRIPT = [
  'names mkdir:/sys/fs/cgroup/web mkdir:/sys/fs/cgroup/web/one mkdir:/sys/fs/cgroup/web/one/deep > /tmp/out',
  'cgexec /sys/fs/cgroup/web/one cat /etc/motd',
  'cgexec /sys/fs/cgroup/web/one/deep cat /etc/motd',
  'cgexec /sys/fs/cgroup/system.slice cat /etc/motd',
  'cgexec /sys/fs/cgroup cat /etc/motd',
  'cat /etc/motd',
].join('\n');
const LEVELS = 4;
const EAGAIN = -11n;

/** Ids of groups by path, as the journal has them. */
function groupIds(entries: Iterable<{ readonly text: string; readonly c: bigint }>): Map<string, bigint> {
  return new Map([['/', 1n], ...[...entries].map(({ text, c }): [string, bigint] => [text, c])]);
}

describe('control groups', () => {
  const host = createSim({ script: SCRIPT, cpus: 2, seed: 8 });
  const machine = new Machine(host);
  const object = new URL('../testdata/hook-objects/cgroup.bpf.o', import.meta.url);
  const collection = Collection.load(CollectionSpec.parse(readFileSync(object)), machine.runtime);
  for (const { program, attach } of collection.programs.values()) machine.attach(program, attach);
  const groups = instance(collection.maps.get('groups'), CgroupArrayMap);
  host.run({ until: () => [...host.journal.entries(Kind.CGROUP_MKDIR)].some(({ text }) => text === '/web') });
  const { c: web = 0n } = [...host.journal.entries(Kind.CGROUP_MKDIR)].find(({ text }) => text === '/web') ?? {};
  groups.setCgroup(0, cgroupById(host, web));
  const events: { pid: number; id: bigint; walked: bigint; ancestors: bigint[]; under: bigint[]; level: number }[] = [];
  const reader = machine.readRings(instance(collection.maps.get('events'), RingBufferMap));
  const end = runToEnd(host);
  reader.poll(({ data }) => {
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const at = (i: number): bigint => view.getBigUint64(8 * i, true);
    events.push({
      pid: Number(at(0) & 0xffff_ffffn),
      id: at(1),
      walked: at(2),
      ancestors: Array.from({ length: LEVELS }, (_, i) => at(3 + i)),
      under: [view.getBigInt64(56, true), view.getBigInt64(64, true)],
      level: view.getInt32(72, true),
    });
  });
  const ids = groupIds(host.journal.entries(Kind.CGROUP_MKDIR));

  /** Path of each process's group when it started its program: where it was put last, or else its parent's. */
  const placed = new Map<number, string>();
  const paths: string[] = [];
  for (const { kind, a, b, text } of host.journal.entries()) {
    const pid = Number(a & 0xffff_ffffn);
    if (kind === Kind.FORK) placed.set(Number(b & 0xffff_ffffn), placed.get(pid) ?? '/');
    if (kind === Kind.CGROUP_ATTACH) placed.set(pid, text);
    if (kind === Kind.EXEC) paths.push(placed.get(pid) ?? '/');
  }

  it('tell where every process is: itself, its ancestors, its level', () => {
    expect({ ...end, oops: host.oops }).toEqual({ stop: 'finished', status: 0, oops: null });
    expect(new Set(paths)).toEqual(new Set(['/init.scope', '/web/one', '/web/one/deep', '/system.slice', '/']));
    expect(events).toHaveLength(paths.length);
    events.forEach((event, i) => {
      const path = paths[i] ?? '';
      const parts = path === '/' ? [''] : path.split('/');
      const chain = parts.map((_, level) => ids.get(parts.slice(0, level + 1).join('/') || '/') ?? 0n);
      expect(event.id).toBe(ids.get(path));
      expect(event.walked).toBe(event.id);
      expect(event.level).toBe(chain.length - 1);
      expect(event.ancestors).toEqual([...chain, 0n, 0n, 0n].slice(0, LEVELS));
    });
  });

  it('a task is under a group of an array if it is in it or below it', () => {
    for (const [i, { under }] of events.entries()) {
      const path = paths[i] ?? '';
      if (path.startsWith('/web')) expect(under).toEqual([1n, EAGAIN]);
      else if (path !== '/init.scope') expect(under).toEqual([0n, EAGAIN]);
    }
    expect(events.filter(({ under }) => under[0] === 1n)).toHaveLength(2);
  });
});
