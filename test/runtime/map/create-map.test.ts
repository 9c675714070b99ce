import { describe, expect, it } from 'vitest';
import { BpfError, Errno } from '../../../src/base/index.js';
import { createMap } from '../../../src/runtime/map/create-map.js';
import { BpfMemory } from '../../../src/runtime/memory/bpf-memory.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { createCases, describeCase, typeNumber, type CreateCase } from './create-cases.js';

const GOLDEN = new URL('../../testdata/map/create.txt', import.meta.url);

function lines(errnos: readonly number[]): string[] {
  return createCases.map((each, i) => `${describeCase(each)}: ${errnos[i]}`);
}

function ourErrno({ type, ...sizes }: CreateCase): number {
  const memory = new BpfMemory();
  const spec = { ...sizes, type: typeNumber(type), keyTypeId: 0, valueTypeId: 0 };
  try {
    createMap({ memory, cpus: 2, id: 1 }, spec).release();
    return 0;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return -error.errno;
  } finally {
    expect(memory.used, 'bytes left over').toBe(0);
  }
}

describe('BPF_MAP_CREATE', () => {
  it.skipIf(recording())('answers as the kernel did when the golden was recorded', () => {
    const ours = lines(createCases.map(ourErrno));
    const different = readGolden(GOLDEN).lines.filter((line, i) => line !== ours[i]);
    expect(different, 'stacks of build ids are the one thing that is refused on purpose').toEqual([
      'stack_trace key=4 value=64 max=4 flags=0x20 name="m": 0',
    ]);
  });

  it.each(['hash', 'lru_hash', 'percpu_array', 'ringbuf', 'queue'])(
    'a %s that is released is EBADF to every call',
    (type) => {
      const memory = new BpfMemory();
      const sizes = { ringbuf: [0, 0, 4096], queue: [0, 4, 4], percpu_array: [4, 8, 4] }[type] ?? [4, 4, 4];
      const [keySize, valueSize, maxEntries] = sizes;
      const spec = {
        name: 'm',
        keySize,
        valueSize,
        maxEntries,
        flags: 0,
        type: typeNumber(type),
        keyTypeId: 0,
        valueTypeId: 0,
      };
      const map = createMap({ memory, cpus: 2, id: 1 }, spec);
      map.release();
      const [key, value] = [new Uint8Array(keySize), new Uint8Array(2 * valueSize)];
      expect([
        map.sysLookup(key),
        map.sysUpdate(key, value),
        map.sysDelete(key),
        map.sysNextKey(null),
        map.sysLookupAndDelete(key),
        map.sysFreeze(),
      ]).toEqual(Array(6).fill(-Errno.EBADF));
      expect(memory.used).toBe(0);
    },
  );

  it('names the map, the field and what is wrong with it', () => {
    const spec = {
      name: 'events',
      type: 27,
      keySize: 0,
      valueSize: 0,
      maxEntries: 1000,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    };
    expect(() => createMap({ memory: new BpfMemory(), cpus: 1, id: 1 }, spec)).toThrow(
      'creating map "events" (type 27): the size of a ring buffer is a power of two and a multiple of 4096 [value 1000]: EINVAL',
    );
  });

  it.each([
    [29, 'task_storage'],
    [99, '99'],
  ])('names a type that cannot be made, and those that can: %i', (type, name) => {
    const spec = { name: 'm', type, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, keyTypeId: 0, valueTypeId: 0 };
    expect(() => createMap({ memory: new BpfMemory(), cpus: 1, id: 1 }, spec)).toThrow(
      new RegExp(
        `cannot be made \\[value ${name}\\]: EINVAL; those of these types can: hash, percpu_hash, .*bloom_filter$`,
      ),
    );
  });

  it('is ENOMEM where BpfMemory cannot hold the map, and leaves nothing behind', () => {
    const memory = new BpfMemory({ maxBytes: 1 << 20 });
    const spec = {
      name: 'big',
      type: 1,
      keySize: 4,
      valueSize: 64,
      maxEntries: 1 << 16,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    };
    expect(() => createMap({ memory, cpus: 1, id: 1 }, spec)).toThrow(
      /^creating map "big" \(type 1\): allocating \d+ bytes of BPF memory: ENOMEM; the limit is 1048576 bytes/,
    );
    expect(memory.used).toBe(0);
  });

  it('puts the initial contents in and freezes', () => {
    const memory = new BpfMemory();
    const contents = Uint8Array.of(1, 2, 3);
    const spec = {
      name: '.rodata',
      type: 2,
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
      flags: 0x80,
      keyTypeId: 0,
      valueTypeId: 0,
    };
    const map = createMap({ memory, cpus: 1, id: 1 }, { ...spec, contents, frozen: true });
    expect(map.sysLookup(new Uint8Array(4))).toEqual(Uint8Array.of(1, 2, 3, 0, 0, 0, 0, 0));
    expect(map.sysUpdate(new Uint8Array(4), new Uint8Array(8))).toBe(-1);
    expect(map.regions[0]?.writable).toBe(false);
  });
});

describeWithLinux('BPF_MAP_CREATE, live', (linux) => {
  it('is what the golden says', async () => {
    const answers = createCases.map(async ({ type, ...attr }) => {
      const slot = linux.slot();
      const result = await linux.mapCreate(slot, { ...attr, type: typeNumber(type) });
      await linux.close(slot);
      return Math.min(result, 0);
    });
    const live = lines(await Promise.all(answers));
    if (recording()) writeGolden(GOLDEN, { release: linux.release, lines: live });
    expect(live).toEqual(readGolden(GOLDEN).lines);
  });
});
