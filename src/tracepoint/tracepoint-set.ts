import type { HostTracepoints, TracepointDescriptor, TracepointSink } from '../host/index.js';

/** What a set asks of its tracepoints. */
export interface TracepointMember {
  readonly descriptor: TracepointDescriptor;
  /** The flag that the host tests; switched by the set. */
  enabled: boolean;
  /** Takes the arguments of a hit; put here by the set. */
  deliver: ((args: Int32Array, cpu: number) => void) | null;
}

/** The tracepoints of a host that defines its own: what it gives to the world as `Host.tracepoints`. */
export class TracepointSet implements HostTracepoints {
  readonly list: readonly TracepointDescriptor[];
  readonly #members: readonly TracepointMember[];
  #sink: TracepointSink | null = null;

  constructor(members: readonly TracepointMember[]) {
    this.#members = members;
    this.list = members.map((member) => member.descriptor);
    members.forEach((member, index) => {
      member.deliver = (args, cpu) => this.#sink?.(index, args, cpu);
    });
  }

  setEnabled(index: number, enabled: boolean): void {
    const member = this.#members[index];
    if (member === undefined) throw new RangeError(`there is no tracepoint ${index}`);
    member.enabled = enabled;
  }

  setSink(sink: TracepointSink | null): void {
    this.#sink = sink;
  }
}
