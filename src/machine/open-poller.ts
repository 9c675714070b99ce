import type { PerfReader } from '../perf/index.js';
import {
  type BpfMap,
  mapSource,
  PerfEventArrayMap,
  type PolledRecord,
  Poller,
  type PollerOptions,
  type RecordSource,
  type RingBufferReader,
} from '../runtime/index.js';

/** A reader of one map, and its records as a poller has them. */
interface Part {
  readonly reader: { close(): void };
  readonly source: RecordSource<PolledRecord>;
}

/**
 * One reader of many maps. `readPerf` and `readRing` make the readers of single maps; they are closed with the poller, and
 * what they tell of losses the poller tells too.
 */
export function openPoller(
  maps: readonly BpfMap[],
  options: PollerOptions,
  readPerf: (map: PerfEventArrayMap) => PerfReader,
  readRing: (map: BpfMap) => RingBufferReader,
): Poller {
  const parts: Part[] = [];
  try {
    for (const map of maps) {
      parts.push(map instanceof PerfEventArrayMap ? perfPart(map, readPerf(map)) : ringPart(map, readRing(map)));
    }
  } catch (error) {
    for (const { reader } of parts) reader.close();
    throw error;
  }
  const poller = new Poller(
    parts.map(({ source }) => source),
    options,
  );
  const close = (): void => {
    for (const { reader } of parts) reader.close();
  };
  if (poller.closed) close();
  else poller.once('end', close);
  return poller;

  function perfPart(map: BpfMap, reader: PerfReader): Part {
    reader.on('lost', ({ cpu, lost }) => poller.lost({ map, cpu, lost }));
    return { reader, source: mapSource(reader.asSource(), ({ cpu, data }) => ({ map, cpu, data })) };
  }

  function ringPart(map: BpfMap, reader: RingBufferReader): Part {
    reader.on('lost', ({ lost }) => poller.lost({ map, cpu: undefined, lost }));
    return { reader, source: mapSource(reader.asSource(), ({ data }) => ({ map, cpu: undefined, data })) };
  }
}
