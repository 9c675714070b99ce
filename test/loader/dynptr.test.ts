import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Collection, CollectionSpec } from '../../src/loader/index.js';
import { BpfRuntime, RingBufferConsumer, RingBufferMap, type RingBufferArea } from '../../src/runtime/index.js';
import { readGolden, recording, writeGolden } from '../oracle/golden.js';
import { LiveProgram } from '../oracle/live-program.js';
import { describeWithLinux } from '../oracle/linux.js';
import { sides } from '../runtime/side-by-side.js';
import { TestHost } from '../support/test-host.js';

const GOLDEN = new URL('../testdata/helper/dynptr.txt', import.meta.url);
const spec = CollectionSpec.parse(readFileSync(new URL('../testdata/hook-objects/dynptr.bpf.o', import.meta.url)));
const RESULTS = 64;

/** What a program of dynptr.bpf.c noted: `results`, then how many of them it is. */
function line(program: string, bss: Uint8Array): string {
  const view = new DataView(bss.buffer, bss.byteOffset, bss.byteLength);
  const at = (name: string): number => spec.variables.get(name)?.offset ?? NaN;
  const count = Number(view.getBigUint64(at('count'), true));
  expect(count).toBeLessThan(RESULTS);
  const notes = Array.from({ length: count }, (_, i) => view.getBigInt64(at('results') + 8 * i, true));
  return `${program}: ${notes.join(' ')}`;
}

interface Started {
  readonly runtime: BpfRuntime;
  readonly collection: Collection;
  readonly run: () => Uint8Array;
}

function start(name: string, engine: (typeof sides)[number][1]): Started {
  const runtime = new BpfRuntime(new TestHost({ cpus: 1 }), { engine: engine() });
  const collection = Collection.load(spec, runtime, { programs: [name] });
  const program = collection.programs.get(name)?.program;
  if (program === undefined) throw new Error(`no program ${name}`);
  const run = (): Uint8Array => {
    runtime.testRun(program, { dataIn: new Uint8Array(64) });
    return collection.maps.get('.bss')?.sysLookup(new Uint8Array(4)) as Uint8Array;
  };
  return { runtime, collection, run };
}

/** The records that a run left in the ring. */
function records(started: Started): string[] {
  const found: string[] = [];
  new RingBufferConsumer(started.runtime.memory, ringOf(started)).consume((record) =>
    found.push(Buffer.from(record).toString('hex')),
  );
  return found;
}

function ringOf({ collection }: Started): RingBufferArea {
  const ring = collection.maps.get('ring');
  if (!(ring instanceof RingBufferMap)) throw new TypeError('no ring');
  return ring.area;
}

const programs = ['of_map', 'of_ring', 'refused', 'in_functions'];
const refused = ['never_made', 'of_stack', 'submitted_twice', 'submits_memory', 'used_when_gone'];

describe.skipIf(recording()).each(sides)('dynamic pointers, %s', (_name, engine) => {
  it.each(programs)('%s: reads, writes and parts as the kernel answered', (name) => {
    expect(readGolden(GOLDEN).lines).toContain(line(name, start(name, engine).run()));
  });

  it('hand their records to consumers, without the ones that were discarded', () => {
    const started = start('of_ring', engine);
    started.run();
    expect(records(started)).toEqual(['887766554433221100000088776655441032547698badcfe']);
  });

  it.each([
    ['never_made', /^bpf_dynptr_read#201: argument 3 must be an initialized dynamic pointer, got 0x/],
    ['of_stack', /^bpf_dynptr_from_mem#197: argument 1 must be writable memory of a map, of the size in the next/],
    ['submitted_twice', /^bpf_ringbuf_submit_dynptr#199: argument 1 must be a dynamic pointer to a reserved ring/],
    ['submits_memory', /^bpf_ringbuf_submit_dynptr#199: argument 1 must be a dynamic pointer to a reserved ring/],
    ['used_when_gone', /write|store|access/],
  ])('%s: the run stops', (name, reason) => {
    expect(() => start(name, engine).run()).toThrow(
      expect.objectContaining({
        code: 'EFAULT',
        cause: expect.objectContaining({ reason: expect.stringMatching(reason) }),
      }),
    );
  });

  it('whose run stops give their record up', () => {
    const started = start('never_made', engine);
    expect(started.run).toThrow();
    expect(ringOf(started).counts).toEqual({ reserved: 1, submitted: 0, discarded: 1, dropped: 0 });
    expect(records(started)).toEqual([]);
  });
});

describeWithLinux('dynamic pointers, live', (linux) => {
  it('answer what the golden says', async () => {
    const lines: string[] = [];
    for (const name of programs) {
      const live = await LiveProgram.open(linux, spec, name);
      expect(live.load.result, live.load.log).toBe(0);
      await live.run();
      lines.push(line(name, await live.value('.bss', spec.map('.bss')?.valueSize ?? 0)));
      await live.close();
    }
    if (recording()) writeGolden(GOLDEN, { release: linux.release, lines });
    expect(lines).toEqual(readGolden(GOLDEN).lines);
  });

  it.each(refused)('%s: the kernel refuses it', async (name) => {
    const live = await LiveProgram.open(linux, spec, name);
    expect(live.load.result).toBeLessThan(0);
    await live.close();
  });
});
