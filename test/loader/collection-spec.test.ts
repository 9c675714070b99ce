import { describe, expect, it } from 'vitest';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { TestHost } from '../support/test-host.js';
import { objectFiles, parseObject, readBtf, readObject, sourceOf } from './objects.js';

const FILE = 'data-clang-19-v4.o';
const linux = readBtf('linux-min');

/** All that a spec says of itself. */
function contentOf(spec: CollectionSpec): object {
  const { programs, maps, license, kernelVersion, programSlots } = spec;
  const variables = [...spec.variables].map(([name, variable]) => [name, variable.get()]);
  return { programs, maps, license, kernelVersion, programSlots, variables };
}

describe('a collection spec', () => {
  it.each(objectFiles)('of %s is the same whenever it is parsed, and has its licence', (file) => {
    const spec = parseObject(file);
    expect(contentOf(parseObject(file))).toEqual(contentOf(spec));
    expect(spec.license).toBe(sourceOf(file) === 'subprograms' ? 'Dual MIT/GPL' : 'GPL');
  });

  it('is inert: neither loading nor what is loaded changes it', () => {
    const bytes = Uint8Array.from(readObject(FILE));
    const before = bytes.slice();
    const spec = CollectionSpec.parse(bytes);
    const content = contentOf(spec);
    const collection = Collection.load(spec, new BpfRuntime(new TestHost()), { btf: linux });
    collection.variables.get('counter')?.set(1n);
    expect(contentOf(spec)).toEqual(content);
    expect(bytes).toEqual(before);
    collection.close();
  });

  it('makes as many live objects as wanted, each with memory of its own', () => {
    const spec = parseObject(FILE);
    const runtime = new BpfRuntime(new TestHost());
    const [first, second] = [1, 2].map(() => Collection.load(spec, runtime, { btf: linux })) as [
      Collection,
      Collection,
    ];
    first.variables.get('counter')?.set(1n);
    expect(second.variables.get('counter')?.get()).toBe(-5n);
    first.close();
    expect([...runtime.maps]).toHaveLength(second.maps.size);
    second.close();
  });
});
