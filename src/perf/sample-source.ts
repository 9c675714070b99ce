import type { PtRegs } from '../arch/index.js';
import { PerfEventSampleFormat } from '../base/index.js';
import type { Host } from '../host/index.js';
import { callchainOf } from './callchain.js';
import { hostTime } from './event-clock.js';
import type { PerfEventAttr } from './perf-event-attr.js';
import type { SoftwareHit } from './software-source.js';
import {
  PERF_RECORD_MISC_KERNEL,
  PERF_RECORD_MISC_USER,
  type PerfReadValues,
  type PerfSample,
  type PerfSampleId,
} from './perf-record.js';

const { PERF_SAMPLE_TID, PERF_SAMPLE_TIME, PERF_SAMPLE_READ, PERF_SAMPLE_CALLCHAIN } = PerfEventSampleFormat;

/** Gathers what perf_prepare_sample() gathers for the records of one event: only what its sample type asks for. */
export class SampleSource {
  readonly #host: Host;
  readonly #attr: PerfEventAttr;
  readonly #id: bigint;
  readonly #read: () => PerfReadValues;
  readonly #words = new Int32Array(2);

  constructor(host: Host, attr: PerfEventAttr, id: bigint, read: () => PerfReadValues) {
    this.#host = host;
    this.#attr = attr;
    this.#id = id;
    this.#read = read;
  }

  /** Thread that is current. */
  get tid(): number {
    this.#host.tasks.pidTgid(this.#words);
    return this.#words[0];
  }

  /** A sample at `regs`; null where the event has none. */
  sample(regs: PtRegs | null, user: boolean, period: bigint, raw?: Uint8Array): PerfSample {
    const { sampleType } = this.#attr;
    return {
      type: 'sample',
      misc: user ? PERF_RECORD_MISC_USER : PERF_RECORD_MISC_KERNEL,
      ...this.identity(),
      ip: regs?.ip ?? 0n,
      period,
      ...(sampleType & PERF_SAMPLE_READ ? { read: this.#read() } : {}),
      ...(sampleType & PERF_SAMPLE_CALLCHAIN ? { callchain: callchainOf(this.#host, this.#attr, regs, user) } : {}),
      ...(raw === undefined ? {} : { raw }),
    };
  }

  /** A sample of a software event. */
  sampleOf({ regs, stackRegs, user, addr }: SoftwareHit, period: bigint): PerfSample {
    const sample = this.sample(stackRegs, user, period);
    return { ...sample, ip: regs.ip, addr };
  }

  /** What `sample_id_all` adds to other records. */
  identity(): PerfSampleId {
    const { sampleType, flags, clockid } = this.#attr;
    const time =
      sampleType & PERF_SAMPLE_TIME
        ? { time: hostTime(this.#host, flags.has('use_clockid') ? clockid : undefined) }
        : {};
    return { ...this.#thread(), ...time, id: this.#id, streamId: this.#id, cpu: this.#host.currentCpu() };
  }

  #thread(): PerfSampleId {
    if (!(this.#attr.sampleType & PERF_SAMPLE_TID)) return {};
    this.#host.tasks.pidTgid(this.#words);
    return { tid: this.#words[0], pid: this.#words[1] };
  }
}
