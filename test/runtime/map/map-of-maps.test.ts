import { describe, expect, it } from 'vitest';
import { type BpfError, BpfMapType as T, Errno, errnoName } from '../../../src/base/index.js';
import type { BpfMap, MapSpec } from '../../../src/runtime/map/bpf-map.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { isMapOfMaps } from '../../../src/runtime/map/map-of-maps.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import type { LinuxOracle, Slot } from '../../oracle/linux-oracle.js';
import { describeWithLinux } from '../../oracle/linux.js';

const INNER_MAP = 1 << 12;

type Shape = Partial<Omit<MapSpec, 'innerMap'>> & { readonly type: number };

const spec = (shape: Shape): MapSpec => ({
  name: 'm',
  keySize: 4,
  valueSize: 8,
  maxEntries: 4,
  flags: 0,
  keyTypeId: 0,
  valueTypeId: 0,
  ...shape,
});

const array = spec({ type: T.BPF_MAP_TYPE_ARRAY });
const outerTypes = ['BPF_MAP_TYPE_ARRAY_OF_MAPS', 'BPF_MAP_TYPE_HASH_OF_MAPS'] as const;
type OuterType = (typeof outerTypes)[number];
const outer = (type: OuterType, shape: Partial<Shape> = {}): MapSpec => spec({ valueSize: 4, ...shape, type: T[type] });

/** Patterns with which maps of maps are created. */
const patterns: readonly (readonly [
  what: string,
  inner: MapSpec | undefined,
  outer: Partial<Shape>,
  answer: string,
])[] = [
  ['an array', array, {}, 'ok'],
  ['a hash', spec({ type: T.BPF_MAP_TYPE_HASH }), {}, 'ok'],
  ['a per-CPU hash', spec({ type: T.BPF_MAP_TYPE_PERCPU_HASH }), {}, 'ok'],
  ['an LRU hash', spec({ type: T.BPF_MAP_TYPE_LRU_HASH }), {}, 'ok'],
  ['a ring buffer', spec({ type: T.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: 4096 }), {}, 'ok'],
  ['a perf event array', spec({ type: T.BPF_MAP_TYPE_PERF_EVENT_ARRAY, valueSize: 4 }), {}, 'ok'],
  ['a stack trace map', spec({ type: T.BPF_MAP_TYPE_STACK_TRACE }), {}, 'ok'],
  ['a program array', spec({ type: T.BPF_MAP_TYPE_PROG_ARRAY, valueSize: 4 }), {}, 'ENOTSUPP'],
  ['no map', undefined, {}, 'EINVAL'],
  ['values of 8 bytes', array, { valueSize: 8 }, 'EINVAL'],
  ['no entries', array, { maxEntries: 0 }, 'EINVAL'],
  ['an unknown flag', array, { flags: 1 << 30 }, 'EINVAL'],
  ['values read-only for programs', array, { flags: 1 << 7 }, 'EINVAL or ok'],
];

/** Maps put into a map of arrays of 4 elements of 8 bytes. */
const candidates: readonly (readonly [what: string, inner: Shape, flags: number, answer: string])[] = [
  ['one like the pattern', { type: T.BPF_MAP_TYPE_ARRAY }, 0, 'ok'],
  ['another type', { type: T.BPF_MAP_TYPE_HASH }, 0, 'EINVAL'],
  ['wider values', { type: T.BPF_MAP_TYPE_ARRAY, valueSize: 16 }, 0, 'EINVAL'],
  ['more elements', { type: T.BPF_MAP_TYPE_ARRAY, maxEntries: 5 }, 0, 'EINVAL'],
  ['other flags', { type: T.BPF_MAP_TYPE_ARRAY, flags: INNER_MAP }, 0, 'EINVAL'],
];

const key = (index: number): Uint8Array => Uint8Array.of(index & 0xff, index >>> 8, 0, 0);
const nameOf = (result: number | Uint8Array): string =>
  typeof result === 'number' && result < 0 ? (errnoName(-result) ?? String(result)) : 'ok';

/** One side of the comparison. */
interface Side {
  create(shape: MapSpec, inner: MapSpec | undefined): Promise<string>;
  /** Puts a map of that shape at a key of the map created last. */
  put(at: number, shape: MapSpec, flags: number): Promise<string>;
  lookup(at: number): Promise<string>;
  remove(at: number): Promise<string>;
  take(at: number): Promise<string>;
  store(at: number): Promise<string>;
  done(): Promise<void>;
}

function ours(): Side {
  const memory = new BpfMemory();
  const maps: BpfMap[] = [];
  let id = 0;
  const make = (shape: MapSpec): BpfMap => {
    const map = createMap({ memory, cpus: 2, id: ++id }, shape);
    maps.push(map);
    return map;
  };
  let made: BpfMap | undefined;
  const last = (): BpfMap => made as BpfMap;
  return {
    create: async (shape, innerMap) => {
      try {
        made = make(innerMap === undefined ? shape : { ...shape, innerMap });
        return 'ok';
      } catch (error) {
        return (error as BpfError).code;
      }
    },
    put: async (at, shape, flags) => {
      const map = last();
      if (!isMapOfMaps(map)) throw new Error('no map of maps');
      const inner = make(shape);
      const answer = nameOf(map.setMap(key(at), inner, flags));
      inner.release();
      return answer;
    },
    lookup: async (at) => nameOf(last().sysLookup(key(at))),
    remove: async (at) => nameOf(last().sysDelete(key(at))),
    take: async (at) => nameOf(last().sysLookupAndDelete(key(at))),
    store: async (at) => nameOf(last().sysUpdate(key(at), key(0xffff))),
    done: async () => made?.release(),
  };
}

function linuxSide(linux: LinuxOracle): Side {
  const slots: Slot[] = [];
  const make = async (shape: MapSpec, inner?: Slot): Promise<[Slot, number]> => {
    const slot = linux.slot();
    slots.push(slot);
    return [slot, await linux.mapCreate(slot, { ...shape, ...(inner === undefined ? {} : { inner }) })];
  };
  let made: Slot = 0;
  return {
    create: async (shape, innerMap) => {
      const inner = innerMap === undefined ? undefined : (await make(innerMap))[0];
      const [slot, result] = await make(shape, inner);
      made = slot;
      return nameOf(result);
    },
    put: async (at, shape, flags) =>
      nameOf(await linux.mapUpdateObject(made, key(at), (await make(shape))[0], BigInt(flags))),
    lookup: async (at) => nameOf(await linux.mapLookup(made, key(at), 4)),
    remove: async (at) => nameOf(await linux.mapDelete(made, key(at))),
    take: async (at) => nameOf(await linux.mapLookupAndDelete(made, key(at), 4)),
    store: async (at) => nameOf(await linux.mapUpdate(made, key(at), key(0xffff))),
    done: () => linux.close(...slots),
  };
}

const withSide = async (side: Side, steps: (side: Side) => Promise<string[]>): Promise<string[]> => {
  const answers = await steps(side);
  await side.done();
  return answers;
};

const answersFor = (type: OuterType, answer: string): string =>
  answer === 'EINVAL or ok' ? (type === 'BPF_MAP_TYPE_HASH_OF_MAPS' ? 'ok' : 'EINVAL') : answer;

/** What a map of arrays answers, in the order of these calls. */
async function calls(side: Side, type: OuterType): Promise<string[]> {
  const answers = [await side.create(outer(type), array)];
  for (const at of [0, 1]) answers.push(await side.put(at, array, 0));
  answers.push(await side.put(1, array, 0), await side.put(1, array, 1), await side.put(9, array, 2));
  answers.push(await side.put(2, array, 16), await side.put(9, array, 0), await side.lookup(0), await side.lookup(3));
  answers.push(await side.lookup(20), await side.store(0), await side.store(9), await side.take(0));
  answers.push(await side.remove(1), await side.remove(1), await side.remove(20), await side.lookup(1));
  return answers;
}

const recorded: Readonly<Record<OuterType, string>> = {
  BPF_MAP_TYPE_ARRAY_OF_MAPS:
    'ok ok ok ok EINVAL EINVAL EINVAL E2BIG ok ENOENT ENOENT EBADF E2BIG ENOTSUPP ok ENOENT E2BIG ENOENT',
  BPF_MAP_TYPE_HASH_OF_MAPS:
    'ok ok ok ok EEXIST ENOENT EINVAL ok ok ENOENT ENOENT EBADF EBADF ENOTSUPP ok ENOENT ENOENT ENOENT',
};

describe.each(outerTypes)('%s', (type) => {
  it.each(patterns)('is created of %s', async (_what, inner, shape, answer) => {
    expect(await withSide(ours(), async (side) => [await side.create(outer(type, shape), inner)])).toEqual([
      answersFor(type, answer),
    ]);
  });

  it.each(candidates)('takes a map with %s, or not', async (_what, shape, flags, answer) => {
    const steps = async (side: Side): Promise<string[]> => [
      await side.create(outer(type), array),
      await side.put(0, spec(shape), flags),
    ];
    expect(await withSide(ours(), steps)).toEqual(['ok', answer]);
  });

  it('takes arrays of any length where the pattern has BPF_F_INNER_MAP', async () => {
    const open = spec({ type: T.BPF_MAP_TYPE_ARRAY, flags: INNER_MAP });
    const steps = async (side: Side): Promise<string[]> => [
      await side.create(outer(type), open),
      await side.put(0, { ...open, maxEntries: 9 }, 0),
    ];
    expect(await withSide(ours(), steps)).toEqual(['ok', 'ok']);
  });

  it('answers to bpf(2) with errno as Linux does', async () => {
    expect((await withSide(ours(), (side) => calls(side, type))).join(' ')).toBe(recorded[type]);
  });

  it('cannot hold maps of maps', () => {
    const inner = { ...outer(type), innerMap: array };
    expect(() => createMap({ memory: new BpfMemory(), cpus: 1, id: 1 }, { ...outer(type), innerMap: inner })).toThrow(
      /maps of maps cannot be in one/,
    );
  });

  it('keeps a map as long as it is in it, and gives it back', () => {
    const memory = new BpfMemory();
    const before = memory.used;
    let released = 0;
    const make = (shape: MapSpec, id: number): BpfMap =>
      createMap({ memory, cpus: 1, id, onRelease: () => released++ }, shape);
    const map = make({ ...outer(type), innerMap: array }, 1);
    if (!isMapOfMaps(map)) throw new Error('no map of maps');
    const [first, second] = [make(array, 2), make(array, 3)];
    for (const at of [0, 1]) expect(map.setMap(key(at), first)).toBe(0);
    first.release();
    expect(map.getMap(key(1))).toBe(first);
    expect(map.setMap(key(0), second)).toBe(0);
    expect(released).toBe(0);
    expect(map.sysDelete(key(1))).toBe(0);
    expect(released).toBe(1);
    expect([...map.innerMaps]).toEqual([second]);
    second.release();
    map.release();
    expect(released).toBe(3);
    expect(memory.used).toBe(before);
  });

  it('shows the ids of its maps, and is closed to changes once frozen', () => {
    const memory = new BpfMemory();
    const map = createMap({ memory, cpus: 1, id: 1 }, { ...outer(type), innerMap: array });
    if (!isMapOfMaps(map)) throw new Error('no map of maps');
    const inner = createMap({ memory, cpus: 1, id: 0x0102 }, array);
    expect(map.setMap(key(0), inner)).toBe(0);
    expect(map.sysLookup(key(0))).toEqual(Uint8Array.of(2, 1, 0, 0));
    expect(map.sysFreeze()).toBe(0);
    expect(map.setMap(key(0), inner)).toBe(-Errno.EPERM);
    expect(map.getMap(key(0))).toBe(inner);
  });
});

describeWithLinux('maps of maps, live', (linux) => {
  describe.each(outerTypes)('%s', (type) => {
    it.each(patterns)('is created of %s', async (_what, inner, shape, answer) => {
      expect(await withSide(linuxSide(linux), async (side) => [await side.create(outer(type, shape), inner)])).toEqual([
        answersFor(type, answer),
      ]);
    });

    it.each(candidates)('takes a map with %s, or not', async (_what, shape, flags, answer) => {
      const steps = async (side: Side): Promise<string[]> => [
        await side.create(outer(type), array),
        await side.put(0, spec(shape), flags),
      ];
      expect(await withSide(linuxSide(linux), steps)).toEqual(['ok', answer]);
    });

    it('answers to bpf(2) with errno as Linux does', async () => {
      expect((await withSide(linuxSide(linux), (side) => calls(side, type))).join(' ')).toBe(recorded[type]);
    });
  });
});
