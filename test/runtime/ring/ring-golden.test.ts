import { describe, expect, it } from 'vitest';
import { BpfMapType, BpfProgType } from '../../../src/base/index.js';
import {
  BpfRuntime,
  createInterpreter,
  createJit,
  type Engine,
  RingBufferConsumer,
  RingBufferMap,
  RingLayout,
  type BpfMap,
  type MapSpec,
} from '../../../src/runtime/index.js';
import {
  MAX_OPERATIONS,
  RING_SIZE,
  SOURCE_SIZE,
  ringProgram,
  type RingOperation,
} from '../../../property-tests/runtime/ring/ring-program.js';
import { readGolden, recording, writeGolden } from '../../oracle/golden.js';
import { describeWithLinux } from '../../oracle/linux.js';
import { TestHost } from '../../support/test-host.js';
import { SideBySide, type MapPair } from '../side-by-side.js';

const GOLDEN = new URL('../../testdata/ring/bytes.txt', import.meta.url);
const source = Uint8Array.from({ length: SOURCE_SIZE }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

const output = (size: number, from: number, flags = 0): RingOperation => ({ op: 'output', size, from, flags });
const reserve = (size: number, discard = false): RingOperation => ({ op: 'reserve', size, discard, flags: 0 });
const query = (selector: number): RingOperation => ({ op: 'query', selector });

/** Programs one after the other; after each, all records are consumed. */
const programs: readonly (readonly RingOperation[])[] = [
  [output(1, 0), output(8, 1), output(0, 0), reserve(16), reserve(9, true), query(0), query(1), query(2), query(3)],
  [output(4081, 0), output(3000, 7), output(1100, 9), reserve(1000), output(8, 3, 4), query(0)],
  [reserve(2000), output(1500, 11), reserve(24, true), query(0), query(3), query(4)],
];

const specs: readonly Partial<MapSpec>[] = [
  { type: BpfMapType.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: RING_SIZE },
  { type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: SOURCE_SIZE },
  { type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: 8 * MAX_OPERATIONS },
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Results, positions, and the rows of 32 bytes that are not all zero. */
function report(program: number, results: Uint8Array, positions: readonly bigint[], data: Uint8Array): string[] {
  const rows = Array.from({ length: data.length / 32 }, (_, i) => ({
    at: 32 * i,
    text: hex(data.subarray(32 * i, 32 * i + 32)),
  }));
  return [
    `program ${program} results ${hex(results)}`,
    `program ${program} consumer ${positions[0]} producer ${positions[1]}`,
    ...rows.filter(({ text }) => !/^0+$/.test(text)).map(({ at, text }) => `program ${program} ${at}: ${text}`),
  ];
}

function ours(engine: Engine): string[] {
  const runtime = new BpfRuntime(new TestHost(), { engine });
  const maps = specs.map((spec) =>
    runtime.createMap({
      name: 'm',
      type: 0,
      keySize: 4,
      valueSize: 8,
      maxEntries: 1,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
      ...spec,
    }),
  );
  maps[1].sysUpdate(new Uint8Array(4), source);
  return programs.flatMap((operations, i) => runOurs(runtime, maps, operations, i));
}

function runOurs(
  runtime: BpfRuntime,
  maps: readonly BpfMap[],
  operations: readonly RingOperation[],
  index: number,
): string[] {
  const program = runtime.loadProgram({
    name: 'ring',
    type: BpfProgType.BPF_PROG_TYPE_XDP,
    expectedAttachType: 0,
    license: 'GPL',
    insns: ringProgram(operations),
    maps,
  });
  runtime.testRun(program, { dataIn: new Uint8Array(64) });
  const [ring, , results] = maps;
  if (!(ring instanceof RingBufferMap)) throw new TypeError('the first map is the ring');
  const { area } = ring;
  const start = area.address + RingLayout.data;
  const data = runtime.memory.u8.slice(start, start + RING_SIZE);
  const answers = results.sysLookup(new Uint8Array(4));
  const lines = report(
    index,
    typeof answers === 'number' ? new Uint8Array(0) : answers,
    [area.consumer, area.producer],
    data,
  );
  new RingBufferConsumer(runtime.memory, area).consume(() => undefined);
  return lines;
}

describe.skipIf(recording())('the bytes of a ring buffer', () => {
  it.each([createInterpreter(), createJit()])('are those that Linux wrote for the same programs, $name', (engine) => {
    expect(ours(engine)).toEqual(readGolden(GOLDEN).lines);
  });
});

describeWithLinux('the bytes of a ring buffer, live', (linux) => {
  it('are what the golden says', async () => {
    const pair = new SideBySide(linux);
    const maps: readonly MapPair[] = specs.map((spec) => pair.map({ type: 0, ...spec }));
    await linux.mapUpdate(maps[1].slot, new Uint8Array(4), source);
    const live: string[] = [];
    for (const [i, operations] of programs.entries()) {
      await pair.run(ringProgram(operations));
      const ring = await linux.ringbufRead(maps[0].slot, RING_SIZE);
      live.push(...report(i, (await pair.firstValue(maps[2])).linux, [ring.consumer, ring.producer], ring.data));
      await linux.ringbufConsume(maps[0].slot, ring.producer);
    }
    await pair.close();
    if (recording()) writeGolden(GOLDEN, { release: linux.release, lines: live });
    expect(live).toEqual(readGolden(GOLDEN).lines);
  });
});
