import { openPerfBuffer, PerfEvents, type PerfReader } from 'kscope/perf';
import {
  type BpfMap,
  EventReader,
  PerfEventArrayMap,
  RingBufferConsumer,
  RingBufferMap,
  RingBufferReader,
  typedReader,
} from 'kscope/runtime';
import { objectOf, packetOf } from '../compute/workloads.js';
import { keep } from '../dispatch/empty-call.js';
import type { EngineRow } from '../engines.js';
import { PacketProgram } from '../packet-program.js';
import { recordType, type WorkloadRecord } from './record-type.js';
import { type Effort, Stopwatch } from '../stopwatch.js';

export interface SameThreadRow {
  readonly name: string;
  /** One repetition is one record, from the program to the callback. */
  readonly stopwatch: Stopwatch;
}

/** Takes all records there are. */
type Drain = () => void;

/** Records that are emitted before the consumer has its turn. */
const BATCH = 256;

interface Path {
  readonly name: string;
  readonly object: string;
  /** Records that the program emits in one run. */
  readonly perRun?: number;
  open(program: PacketProgram): Drain;
}

const PATHS: readonly Path[] = [
  { name: 'ring buffer, emit alone', object: 'ring-quiet', open: discard },
  { name: 'ring buffer to callback with numbers', object: 'ring-quiet', open: ringNumbers },
  { name: 'ring buffer to callback with a view', object: 'ring-quiet', open: ringBytes },
  { name: 'ring buffer reader, typed objects', object: 'ring-quiet', open: ringEvents },
  { name: 'ring buffer reader, typed objects that are kept', object: 'ring-quiet', open: ringKeptEvents },
  { name: 'ring buffer, emit alone, 64 records a run', object: 'ring.x64', perRun: 64, open: discard },
  { name: 'ring buffer reader, typed objects, 64 records a run', object: 'ring.x64', perRun: 64, open: ringEvents },
  { name: 'ring buffer reader, copies', object: 'ring-quiet', open: ringReader },
  { name: 'perf ring, emit alone', object: 'perf', open: perfDiscard },
  { name: 'perf reader, copies', object: 'perf', open: perfReader },
  { name: 'perf reader, typed objects', object: 'perf', open: perfEvents },
];

/** Every way from a program to a callback of the same thread. */
export function sameThreadRows(engine: EngineRow, effort: Effort): SameThreadRow[] {
  return PATHS.map(({ name, object, perRun = 1, open }) => {
    const program = new PacketProgram(engine, objectOf(object), packetOf('event'));
    const drain = open(program);
    const loop = (count: number): void => {
      for (let done = 0; done < count; done += BATCH) {
        program.loop(Math.ceil(Math.min(BATCH, count - done) / perRun));
        drain();
      }
      if (program.result !== 0) throw new Error(`${object} returned ${program.result} on ${engine.name}`);
    };
    return { name: `${engine.name}: ${name}`, stopwatch: new Stopwatch(loop, effort) };
  });
}

function discard({ collection }: PacketProgram): Drain {
  const { area } = mapOf(collection.maps, RingBufferMap);
  return () => {
    area.consumer = area.producer;
  };
}

function ringBytes({ collection, runtime }: PacketProgram): Drain {
  const consumer = new RingBufferConsumer(runtime.memory, mapOf(collection.maps, RingBufferMap).area);
  const handler = (data: Uint8Array): void => keep(data[8] ?? 0);
  return () => void consumer.consume(handler);
}

function ringReader({ collection, runtime }: PacketProgram): Drain {
  const reader = new RingBufferReader(runtime.memory, mapOf(collection.maps, RingBufferMap));
  return () => void reader.poll(({ data }) => keep(data[8] ?? 0));
}

function ringNumbers({ collection, runtime }: PacketProgram): Drain {
  const consumer = new RingBufferConsumer(runtime.memory, mapOf(collection.maps, RingBufferMap).area);
  const visitor = (words: Int32Array, at: number): void => keep(words[at + 2] ?? 0);
  return () => void consumer.visit(visitor);
}

function ringEvents({ collection }: PacketProgram): Drain {
  const reader = new EventReader(mapOf(collection.maps, RingBufferMap), recordType());
  const handler = (event: WorkloadRecord): void => keep(event.pid);
  return () => void reader.poll(handler);
}

/** The objects outlive their callback, so that they cannot be left out. */
function ringKeptEvents({ collection }: PacketProgram): Drain {
  const reader = new EventReader(mapOf(collection.maps, RingBufferMap), recordType());
  const batch: WorkloadRecord[] = [];
  const handler = (event: WorkloadRecord): void => void batch.push(event);
  return () => {
    reader.poll(handler);
    keep(batch.at(-1)?.pid ?? 0);
    batch.length = 0;
  };
}

function perfDiscard(program: PacketProgram): Drain {
  const areas = openPerf(program).rings.map(({ area }) => area);
  return () => {
    for (const area of areas) area.tail = area.head;
  };
}

function perfReader(program: PacketProgram): Drain {
  const reader = openPerf(program);
  return () => void reader.poll(({ data }) => keep(data[8] ?? 0));
}

function perfEvents(program: PacketProgram): Drain {
  const reader = typedReader(openPerf(program), recordType());
  return () => void reader.poll(({ value }) => keep(value.pid));
}

function openPerf({ collection, runtime }: PacketProgram): PerfReader {
  return openPerfBuffer(new PerfEvents(runtime), mapOf(collection.maps, PerfEventArrayMap));
}

function mapOf<T extends BpfMap>(maps: ReadonlyMap<string, BpfMap>, type: abstract new (...args: never[]) => T): T {
  const map = maps.get('records');
  if (map instanceof type) return map;
  throw new Error('the object has no such map');
}
