import { hi32, lo32 } from '../../src/base/index.js';
import type { HostTracepoints, TracepointDescriptor, TracepointSink } from '../../src/host/index.js';

/** Tracepoints with one flag each, fired by the test. */
export class TestTracepoints implements HostTracepoints {
  readonly list: readonly TracepointDescriptor[];
  readonly enabled: boolean[];
  #sink: TracepointSink | null = null;
  readonly #enterCpu: (cpu: number) => void;

  constructor(list: readonly TracepointDescriptor[], enterCpu: (cpu: number) => void) {
    this.list = list;
    this.enabled = list.map(() => false);
    this.#enterCpu = enterCpu;
  }

  setEnabled(index: number, enabled: boolean): void {
    this.enabled[index] = enabled;
  }

  setSink(sink: TracepointSink | null): void {
    this.#sink = sink;
  }

  fire(name: string, args: readonly bigint[], cpu: number): boolean {
    const index = this.list.findIndex((tracepoint) => tracepoint.name === name);
    if (index < 0) throw new RangeError(`the test host has no tracepoint ${name}`);
    if (!this.enabled[index]) return false;
    this.#enterCpu(cpu);
    this.#sink?.(index, Int32Array.from(args.flatMap((value) => [lo32(value), hi32(value)])), cpu);
    return true;
  }
}
