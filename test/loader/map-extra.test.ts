import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { LiveProgram } from '../oracle/live-program.js';
import { describeWithLinux } from '../oracle/linux.js';
import { sides } from '../runtime/side-by-side.js';
import { TestHost } from '../support/test-host.js';

const file = readFileSync(new URL('../testdata/hook-objects/bloom.bpf.o', import.meta.url));
const spec = CollectionSpec.parse(file);
/** How many of 500 values a filter of one hash takes for the 40 that were pushed: what Linux 6.18 finds. */
const FOUND = 264n;

describe.each(sides)('map_extra of a definition, %s', (_name, engine) => {
  it('is the number of hashes of a bloom filter', () => {
    const runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine: engine() });
    const { programs, variables } = Collection.load(spec, runtime);
    const program = programs.get('counts')?.program;
    if (program === undefined) throw new Error('no program');
    runtime.testRun(program, { dataIn: new Uint8Array(64) });
    expect(variables.get('found')?.get()).toBe(FOUND);
  });
});

it('is a parameter that a pinned map must have, too', () => {
  const runtime = new BpfRuntime(new TestHost({ cpus: 1 }));
  const filter = spec.map('filter');
  if (filter === undefined) throw new Error('no filter');
  runtime.bpffs.pin('/sys/fs/bpf/filter', runtime.createMap({ ...filter, mapExtra: 3n }));
  const wanting = CollectionSpec.parse(file);
  wanting.changeMap('filter', { pinning: 'by_name' });
  expect(() => Collection.load(wanting, runtime)).toThrow(
    /map filter cannot use what is pinned at \/sys\/fs\/bpf\/filter.*EINVAL; its mapExtra is 3, not 1/,
  );
});

describeWithLinux('map_extra of a definition, live', (linux) => {
  it('is the number of hashes of a bloom filter', async () => {
    const live = await LiveProgram.open(linux, spec, 'counts');
    expect(live.load.result, live.load.log).toBe(0);
    await live.run();
    expect(Buffer.from(await live.value('.bss', 8)).readBigUInt64LE()).toBe(FOUND);
    await live.close();
  });
});
