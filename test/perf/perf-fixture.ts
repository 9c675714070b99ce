import { BpfMapType } from '../../src/base/index.js';
import { PerfEvents } from '../../src/perf/index.js';
import { BpfMemory, BpfRuntime, PerfEventArrayMap } from '../../src/runtime/index.js';
import { instance } from '../support/instance.js';
import { TestHost, type TestHostOptions } from '../support/test-host.js';

/** A test host with a runtime and its perf events. */
export class PerfFixture {
  readonly host: TestHost;
  readonly runtime: BpfRuntime;
  readonly perf: PerfEvents;

  constructor(options: TestHostOptions = {}, memory = new BpfMemory()) {
    this.host = new TestHost({ functions: { busy: [0x90, 0xc3], other: [0x90, 0xc3] }, ...options });
    this.runtime = new BpfRuntime(this.host, { memory });
    this.perf = new PerfEvents(this.runtime);
  }

  eventArray(maxEntries: number, name = 'events'): PerfEventArrayMap {
    const map = this.runtime.createMap({
      name,
      type: BpfMapType.BPF_MAP_TYPE_PERF_EVENT_ARRAY,
      keySize: 4,
      valueSize: 4,
      maxEntries,
      flags: 0,
      keyTypeId: 0,
      valueTypeId: 0,
    });
    return instance(map, PerfEventArrayMap);
  }

  /** What bpf_perf_event_output(BPF_F_CURRENT_CPU) does on `cpu` with these bytes: its result. */
  output(map: PerfEventArrayMap, cpu: number, data: Uint8Array): number {
    this.host.cpu = cpu;
    const run = this.runtime.enter(cpu);
    if (run === null) throw new Error('nested too deeply');
    const at = this.runtime.memory.alloc(data.length + 16);
    this.runtime.memory.u8.set(data, at);
    const sink = map.get(cpu);
    const result = sink === undefined ? -2 : sink.cpu !== cpu ? -95 : sink.output(run, at, data.length);
    this.runtime.memory.free(at, data.length + 16);
    this.runtime.leave(run);
    return result;
  }
}
