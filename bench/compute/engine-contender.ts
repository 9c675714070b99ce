import { RingBufferMap } from 'kscope/runtime';
import type { EngineRow } from '../engines.js';
import { PacketProgram } from '../packet-program.js';
import { type Effort, Stopwatch } from '../stopwatch.js';
import type { Contender } from './contender.js';
import { objectOf, packetOf, runsPerSample } from './workloads.js';

/** One of the package's engines. */
export function engineContender(engine: EngineRow, effort: Effort): Contender {
  return {
    name: engine.name,
    async load(workload, repeat) {
      const program = new PacketProgram(engine, objectOf(workload.name, repeat), packetOf(workload.data));
      const rings = [...program.collection.maps.values()].filter((map) => map instanceof RingBufferMap);
      const loop = (count: number): void => {
        for (const { area } of rings) area.consumer = area.producer;
        program.loop(count);
      };
      const stopwatch = new Stopwatch(loop, effort, runsPerSample(workload, repeat));
      return { result: program.result, sample: async () => stopwatch.sample() };
    },
    close() {},
  };
}
