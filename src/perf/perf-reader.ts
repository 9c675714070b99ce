import { BpfError, PerfEventSampleFormat, PerfSwIds, PerfTypeId } from '../base/index.js';
import {
  type PerfEventArrayMap,
  type ReaderEvents,
  type ReaderOptions,
  RecordReader,
  type RecordSource,
} from '../runtime/index.js';
import { perfEventAttr } from './perf-event-attr.js';
import type { PerfEvent } from './perf-event.js';
import type { PerfEvents } from './perf-events.js';
import type { PerfRecord, PerfSample } from './perf-record.js';
import type { PerfRing } from './perf-ring.js';
import { decodePerfRecord } from './record-codec.js';

/** One sample of one of the reader's events. */
export interface PerfReaderSample {
  readonly event: PerfEvent;
  /** CPU of the event's ring, -1 for the event of a thread on any CPU. */
  readonly cpu: number;
  readonly sample: PerfSample;
  /** The sample's raw data; empty where its type has none. Linux's padding is still at their end. */
  readonly data: Uint8Array;
}

/** A LOST record: so many records did not fit into the event's ring. */
export interface PerfReaderLoss {
  readonly event: PerfEvent;
  readonly cpu: number;
  readonly lost: number;
}

export interface PerfReaderEvents extends ReaderEvents<PerfReaderLoss> {
  sample: [sample: PerfReaderSample];
}

const NOTHING = new Uint8Array(0);

/**
 * Reads the rings of perf events: samples as records, LOST records as `lost`. The rings of all CPUs may
 * share one reader, which takes from each in turn; samples of one ring keep their order.
 */
export class PerfReader extends RecordReader<PerfReaderSample, PerfReaderEvents> {
  readonly events: readonly PerfEvent[];
  /** The events' rings, in their order. */
  readonly rings: readonly PerfRing[];

  /** EINVAL for an event that has no ring (`PerfEvent.mmap`). The events must outlive the reader. */
  constructor(events: readonly PerfEvent[], options: ReaderOptions = {}) {
    const rings = events.map(ringOf);
    super(
      'sample',
      events.map((event) => perfSource(event, (loss) => this.reportLoss(loss))),
      options,
    );
    this.events = events;
    this.rings = rings;
  }
}

export interface PerfBufferOptions extends ReaderOptions {
  /** Data pages of each CPU's ring; default 64. */
  readonly pages?: number;
  /** Samples after which the reader is woken; default 1. */
  readonly wakeupEvents?: number;
  /** Wakes the reader by bytes instead: whenever more than so many came in. */
  readonly watermark?: number;
}

/**
 * Makes `map` carry data to a reader, as libbpf's perf_buffer__new: one bpf-output event per CPU, its
 * ring mapped, in the slot of its CPU (as many as the map has). Closing the reader empties the slots and
 * closes the events; where one of them cannot be had none is left.
 */
export function openPerfBuffer(perf: PerfEvents, map: PerfEventArrayMap, options: PerfBufferOptions = {}): PerfReader {
  const cpus = Math.min(perf.cpus, map.maxEntries);
  const events = outputEvents(perf, cpus, options);
  events.forEach((event, cpu) => map.setSink(cpu, event));
  const reader = new PerfReader(events, options);
  const close = (): void => {
    events.forEach((event, cpu) => {
      if (map.get(cpu) === event) map.sysDelete(slotKey(cpu));
      event.close();
    });
  };
  if (reader.closed) close();
  else reader.once('end', close);
  return reader;
}

function outputEvents(perf: PerfEvents, cpus: number, options: PerfBufferOptions): PerfEvent[] {
  const events: PerfEvent[] = [];
  try {
    for (let cpu = 0; cpu < cpus; cpu++) {
      const event = outputEvent(perf, cpu, options);
      events.push(event);
      event.mmap(options.pages ?? 64);
    }
    return events;
  } catch (error) {
    for (const event of events) event.close();
    throw error;
  }
}

function outputEvent(perf: PerfEvents, cpu: number, options: PerfBufferOptions): PerfEvent {
  const attr = perfEventAttr({
    type: PerfTypeId.PERF_TYPE_SOFTWARE,
    config: BigInt(PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT),
    sampleType: PerfEventSampleFormat.PERF_SAMPLE_RAW,
    wakeup: options.watermark ?? options.wakeupEvents ?? 1,
    flags: options.watermark === undefined ? [] : ['watermark'],
  });
  return perf.open(attr, { pid: -1, cpu });
}

function slotKey(index: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, index, true);
  return key;
}

function perfSource(event: PerfEvent, lost: (loss: PerfReaderLoss) => void): RecordSource<PerfReaderSample> {
  const ring = ringOf(event);
  const { cpu } = event.target;
  return {
    drain(flow, deliver, limit) {
      let taken = 0;
      while (taken < limit && !flow.halted) {
        const bytes = ring.take();
        if (bytes === null) break;
        const record: PerfRecord = decodePerfRecord(bytes, event.format);
        if (record.type === 'lost') lost({ event, cpu, lost: Number(record.lost) });
        if (record.type !== 'sample') continue;
        taken++;
        flow.delivered++;
        deliver({ event, cpu, sample: record, data: record.raw ?? NOTHING });
      }
      return taken;
    },
    onWakeup: (waker) => ring.onWakeup(waker),
  };
}

function ringOf(event: PerfEvent): PerfRing {
  if (event.ring !== null) return event.ring;
  throw new BpfError('EINVAL', 'reading a perf event that has no ring', {
    value: event.id,
    remedy: 'call mmap(pages) first',
  });
}
