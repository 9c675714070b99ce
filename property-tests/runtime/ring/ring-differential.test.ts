import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BpfMapType } from '../../../src/base/index.js';
import type { RingBufferMap } from '../../../src/runtime/index.js';
import { RingBufferConsumer, RingLayout } from '../../../src/runtime/index.js';
import { describeWithLinux } from '../../../test/oracle/linux.js';
import { SideBySide, sides } from '../../../test/runtime/side-by-side.js';
import { MAX_OPERATIONS, RING_SIZE, SOURCE_SIZE, ringPhases, ringProgram, type RingPhase } from './ring-program.js';

const RUNS = Number(process.env['KSCOPE_RING_RUNS'] ?? 60);

const source = Uint8Array.from({ length: SOURCE_SIZE }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

describeWithLinux('the ring buffer holds the bytes that Linux would write', (linux) => {
  it.each(sides)('%s: results, positions and every byte of the data after random programs', async (_name, engine) => {
    const property = fc.asyncProperty(ringPhases, async (phases) => {
      const pair: RingPair = Object.assign(new SideBySide(linux, engine()), { onRecord: true });
      await prepare(pair);
      for (const phase of phases) await runPhase(pair, phase);
      await pair.close();
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});

/** Whether the consumer's position is where a record begins. */
type RingPair = SideBySide & { onRecord: boolean };

async function prepare(pair: SideBySide): Promise<void> {
  pair.map({ type: BpfMapType.BPF_MAP_TYPE_RINGBUF, keySize: 0, valueSize: 0, maxEntries: RING_SIZE });
  const data = pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: SOURCE_SIZE });
  pair.map({ type: BpfMapType.BPF_MAP_TYPE_ARRAY, valueSize: 8 * MAX_OPERATIONS });
  data.ours.sysUpdate(new Uint8Array(4), source);
  await pair.linux.mapUpdate(data.slot, new Uint8Array(4), source);
}

async function runPhase(pair: RingPair, phase: RingPhase): Promise<void> {
  const [ring, , results] = pair.maps as [(typeof pair.maps)[0], unknown, (typeof pair.maps)[0]];
  await pair.run(ringProgram(phase.operations));
  const answers = await pair.firstValue(results);
  expect(answers.ours, 'results').toEqual(answers.linux);
  const { area } = ring.ours as RingBufferMap;
  const theirs = await pair.linux.ringbufRead(ring.slot, RING_SIZE);
  expect([area.consumer, area.producer], 'positions').toEqual([theirs.consumer, theirs.producer]);
  const data = area.address + RingLayout.data;
  expect(pair.runtime.memory.u8.slice(data, data + RING_SIZE), 'data').toEqual(theirs.data);
  if (!pair.onRecord) return;
  new RingBufferConsumer(pair.runtime.memory, area).consume(() => undefined, phase.take);
  area.consumer = BigInt.asUintN(64, area.consumer + BigInt(phase.stray));
  pair.onRecord = phase.stray === 0;
  await pair.linux.ringbufConsume(ring.slot, area.consumer);
}
