import { BpfError, Errno, PerfEventSampleFormat, PerfSwIds } from '../base/index.js';
import type { SampleFrame } from '../host/index.js';
import type {
  AttachmentCounts,
  AttachmentOptions,
  BpfProgram,
  BpfRunCtx,
  PerfEventSink,
  Runtime,
} from '../runtime/index.js';
import { EnabledTime, hostTime } from './event-clock.js';
import { EventPeriod } from './event-period.js';
import type { PerfEventAttr } from './perf-event-attr.js';
import { PerfEventProgram } from './perf-event-program.js';
import { checkNewPeriod, type PerfEventTarget } from './perf-open-rules.js';
import {
  PERF_RECORD_MISC_KERNEL,
  PERF_RECORD_MISC_USER,
  type PerfReadValues,
  type PerfRecordFormat,
  type PerfSample,
} from './perf-record.js';
import { PerfRing } from './perf-ring.js';
import { encodePerfRecord } from './record-codec.js';
import { RecordWriter } from './record-cursor.js';
import { encodeRawSample, encodeSample } from './sample-codec.js';
import { SampleSource } from './sample-source.js';
import { isCounted, type SoftwareHit, type SoftwareSource } from './software-source.js';

/** Linux's shortest period of a software clock, in ns. */
const MIN_PERIOD = 10_000n;
const NSEC_PER_SEC = 1_000_000_000n;
/** Raw data that fit a record whose size field has 16 bits, with the longest callchain and all other fields. */
const MAX_RAW = 0xffff - 2048;

/** Records are written one at a time, also in nested runs: nothing is interrupted between encoding and storing. */
const writer = new RecordWriter();

/** What became of an event's samples. taken = recorded + programOnly + missed + ringFull + unread. */
export interface PerfEventCounts {
  /** Interruptions that the event's filters let through. */
  taken: number;
  /** Written to the ring. */
  recorded: number;
  /** Seen by the program, which asked for no record (it returned 0). */
  programOnly: number;
  /** Not shown to the program, because the CPU was running another one. */
  missed: number;
  ringFull: number;
  /** Nobody wants them: neither a program nor a ring. */
  unread: number;
}

/**
 * One software perf event on one CPU or one thread: a clock, or a count of what the machine's kernel tells of. Opened by `PerfEvents.open`; it samples while enabled,
 * shows each sample to its program first, and writes a record where there is a ring and the program (if
 * any) returned non-zero: the rule of bpf_overflow_handler().
 */
export class PerfEvent implements PerfEventSink {
  readonly id: bigint;
  readonly attr: PerfEventAttr;
  readonly target: PerfEventTarget;
  readonly format: PerfRecordFormat;
  readonly isBpfOutput: boolean;
  /** Whether it counts what happens; otherwise it measures time, or nothing. */
  readonly isCounted: boolean;
  readonly counts: PerfEventCounts = { taken: 0, recorded: 0, programOnly: 0, missed: 0, ringFull: 0, unread: 0 };
  readonly #runtime: Runtime;
  readonly #software: SoftwareSource;
  readonly #source: SampleSource;
  readonly #time: EnabledTime;
  readonly #onClose: (event: PerfEvent) => void;
  /** Samples hold raw data and nothing else, as those of perf event arrays usually do. */
  readonly #isRawOnly: boolean;
  /** Sampling period of a clock in ns; 0 where the event does not sample. */
  #periodNs: bigint;
  #period: EventPeriod;
  /** Events counted, or the nanoseconds that a reset took off. */
  #counted = 0n;
  #resetTime = 0n;
  /** Overflows until the event disables itself (PERF_EVENT_IOC_REFRESH); 0: never. */
  #limit = 0;
  #ring: PerfRing | null = null;
  #program: PerfEventProgram | null = null;
  #lastCounts: AttachmentCounts | null = null;
  #stops: (() => void)[] = [];
  /** The sample of a clock at hand. */
  readonly #clockHit: { addr: bigint } = { addr: 0n };
  #closed = false;

  /** The attribute and target must have passed `checkPerfOpen`. */
  constructor(
    runtime: Runtime,
    id: bigint,
    attr: PerfEventAttr,
    target: PerfEventTarget,
    onClose: (event: PerfEvent) => void,
    software: SoftwareSource,
  ) {
    this.#runtime = runtime;
    this.#software = software;
    this.id = id;
    this.attr = attr;
    this.target = target;
    this.#onClose = onClose;
    this.#source = new SampleSource(runtime.host, attr, id, () => this.read());
    this.#time = new EnabledTime(runtime.host);
    this.format = {
      sampleType: attr.sampleType,
      readFormat: attr.readFormat,
      sampleIdAll: attr.flags.has('sample_id_all'),
    };
    this.#isRawOnly = attr.sampleType === PerfEventSampleFormat.PERF_SAMPLE_RAW;
    this.isBpfOutput = Number(attr.config) === PerfSwIds.PERF_COUNT_SW_BPF_OUTPUT;
    this.isCounted = isCounted(Number(attr.config));
    this.#periodNs = periodOf(attr, attr.samplePeriod);
    this.#period = new EventPeriod(this.isCounted ? attr.samplePeriod : 0n, attr.flags.has('freq'));
    if (!attr.flags.has('disabled')) this.enable();
  }

  /** CPU on which the event counts right now, or -1: what bpf_perf_event_output() compares with. */
  get cpu(): number {
    if (!this.enabled) return -1;
    if (this.target.pid !== -1 && this.target.pid !== this.#source.tid) return -1;
    return this.target.cpu === -1 ? this.#runtime.host.currentCpu() : this.target.cpu;
  }

  get enabled(): boolean {
    return this.#time.running;
  }

  /** Nanoseconds, or events of a counted one, between two samples as things stand; 0 where it does not sample. */
  get period(): bigint {
    return this.isCounted ? this.#period.period : this.#periodNs;
  }

  get ring(): PerfRing | null {
    return this.#ring;
  }

  /** The program that sees the samples, if any. */
  get program(): BpfProgram | null {
    return this.#program?.program ?? null;
  }

  /** What became of the samples shown to the program, or to the last one that was; null before the first. */
  get programCounts(): AttachmentCounts | null {
    return this.#program?.counts ?? this.#lastCounts;
  }

  /**
   * Gives the event a ring of `pages` data pages, as mmap(2) does: EINVAL unless they are a power of two,
   * and for a thread on any CPU with `inherit`. A second call of the same size gives the same ring.
   */
  mmap(pages: number): PerfRing {
    this.#needOpen('mapping its ring');
    if (this.#ring !== null) {
      if (this.#ring.area.dataSize === pages * 4096) return this.#ring;
      throw new BpfError('EINVAL', 'mapping a perf event a second time with another size', { value: pages });
    }
    const watermark = this.attr.flags.has('watermark');
    this.#ring = new PerfRing(this.#runtime.memory, {
      pages,
      wakeupEvents: watermark ? 0 : this.attr.wakeup,
      wakeupWatermark: watermark ? this.attr.wakeup : 0,
      lostRecord: (lost) =>
        encodePerfRecord({ type: 'lost', misc: 0, id: this.id, lost, sampleId: this.#source.identity() }, this.format),
    });
    return this.#ring;
  }

  /** PERF_EVENT_IOC_ENABLE. */
  enable(): void {
    this.#needOpen('enabling it');
    if (this.enabled) return;
    this.#time.start();
    this.#startSampling();
  }

  /** PERF_EVENT_IOC_DISABLE. Safe inside one of its own samples. */
  disable(): void {
    if (!this.enabled) return;
    this.#time.stop();
    this.#stopSampling();
  }

  /** PERF_EVENT_IOC_RESET: the count begins anew, its times go on. */
  reset(): void {
    this.#needOpen('resetting it');
    this.#counted = 0n;
    this.#resetTime = this.#time.total;
  }

  /**
   * PERF_EVENT_IOC_REFRESH: enables it for `count` more samples, after which it disables itself; 0: as enable. EINVAL where
   * it does not sample, or is inherited.
   */
  refresh(count: number): void {
    this.#needOpen('refreshing it');
    if (this.period === 0n || this.attr.flags.has('inherit')) {
      throw new BpfError('EINVAL', 'refreshing a perf event', { remedy: 'it must sample, and not be inherited' });
    }
    this.#limit += count;
    this.enable();
  }

  /** PERF_EVENT_IOC_PERIOD: another period, or frequency where the event has one. EINVAL as for opening, and for 0. */
  setPeriod(value: bigint): void {
    this.#needOpen('changing its period');
    checkNewPeriod(this.attr, value, this.period);
    this.#periodNs = periodOf(this.attr, value);
    this.#period = this.#period.change(this.isCounted ? value : 0n);
    if (!this.enabled) return;
    this.#stopSampling();
    this.#startSampling();
  }

  /** PERF_EVENT_IOC_PAUSE_OUTPUT: samples are lost, and counted so, until it goes on. EINVAL without a ring. */
  pauseOutput(paused: boolean): void {
    this.#needOpen('pausing its output');
    if (this.#ring === null) throw new BpfError('EINVAL', 'pausing the output of a perf event: it has no ring');
    this.#ring.paused = paused;
  }

  /**
   * PERF_EVENT_IOC_SET_BPF: EINVAL for a program of another type, EEXIST where there is one. The event
   * holds a reference to the program until it is closed.
   */
  setProgram(program: BpfProgram, options: AttachmentOptions = {}): void {
    this.#needOpen('giving it a program');
    if (this.#program !== null) throw new BpfError('EEXIST', `attaching ${program.name}: the perf event has a program`);
    this.#program = new PerfEventProgram(this.#runtime, program, options);
  }

  /**
   * Value and times as read(2) gives them. The clocks count enabled nanoseconds, dummy and bpf-output
   * stay 0. EOPNOTSUPP for an event of one thread: the host does not tell when it runs.
   */
  read(): PerfReadValues {
    if (this.target.pid !== -1)
      throw new BpfError('EOPNOTSUPP', 'reading the perf event of one thread: its time is not counted');
    const time = this.#time.total;
    return { value: this.#value(time), timeEnabled: time, timeRunning: time, id: this.id, lost: this.#lost() };
  }

  /** Stops, drops program and ring. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.disable();
    this.#closed = true;
    this.#lastCounts = this.programCounts;
    this.#program?.dispose();
    this.#program = null;
    this.#ring?.dispose();
    this.#ring = null;
    this.#onClose(this);
  }

  output(run: BpfRunCtx, data: number, size: number): number {
    const ring = this.#ring;
    if (ring === null) return -Errno.ENOSPC;
    if (size > MAX_RAW) return -Errno.E2BIG;
    const { regs } = run;
    const { host, memory } = this.#runtime;
    const user = regs !== null && host.memory.isUser(regs.lo(regs.layout.ip), regs.hi(regs.layout.ip));
    const raw = memory.u8.subarray(data, data + size);
    const isWritten = this.#isRawOnly
      ? ring.write(writer.bytes, encodeRawSample(writer, user ? PERF_RECORD_MISC_USER : PERF_RECORD_MISC_KERNEL, raw))
      : this.#write(ring, this.#source.sample(regs, user, 0n, raw));
    return isWritten ? 0 : -Errno.ENOSPC;
  }

  readValue(run: BpfRunCtx, out: number): number {
    if (this.target.pid !== -1 || (this.target.cpu !== -1 && this.target.cpu !== run.cpu)) return -Errno.EINVAL;
    const time = this.#time.total;
    const { view } = this.#runtime.memory;
    view.setBigUint64(out, this.#value(time), true);
    view.setBigUint64(out + 8, time, true);
    view.setBigUint64(out + 16, time, true);
    return 0;
  }

  #startSampling(): void {
    const { sampler, cpus } = this.#runtime.host;
    if (this.isCounted) this.#stops = [this.#software.start(Number(this.attr.config), this.#onHit)];
    if (this.#periodNs === 0n) return;
    if (sampler === null)
      throw new BpfError('EOPNOTSUPP', `sampling: the host ${this.#runtime.host.name} cannot interrupt its CPUs`);
    const watched = this.target.cpu === -1 ? Array.from({ length: cpus }, (_, cpu) => cpu) : [this.target.cpu];
    this.#stops = watched.map((cpu) => sampler.start(cpu, this.#periodNs, this.#onSample));
  }

  #stopSampling(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  readonly #onSample = ({ cpu, regs, user }: SampleFrame): void => {
    const { tid } = this.#source;
    if (!this.enabled || !this.#isWanted(user, tid)) return;
    this.#overflow(Object.assign(this.#clockHit, { cpu, tid, regs, stackRegs: regs, user }), this.#periodNs);
  };

  readonly #onHit = (hit: SoftwareHit): void => {
    const { cpu } = this.target;
    if (!this.enabled || (cpu !== -1 && cpu !== hit.cpu) || !this.#isWanted(hit.user, hit.tid)) return;
    this.#counted++;
    const period = this.#period.count(hostTime(this.#runtime.host));
    if (period !== 0n) this.#overflow(hit, period);
  };

  #overflow(frame: SoftwareHit, period: bigint): void {
    if (this.#limit > 0 && --this.#limit === 0) this.disable();
    this.counts.taken++;
    const verdict = this.#program?.run(frame, period);
    if (verdict === 'missed') this.counts.missed++;
    else if (verdict === 'drop') this.counts.programOnly++;
    else if (this.#ring === null) this.#countWithoutRing(verdict);
    else if (this.#write(this.#ring, this.#source.sampleOf(frame, period))) this.counts.recorded++;
    else this.counts.ringFull++;
  }

  #countWithoutRing(verdict: 'keep' | undefined): void {
    if (verdict === undefined) this.counts.unread++;
    else this.counts.programOnly++;
  }

  #write(ring: PerfRing, sample: PerfSample): boolean {
    return ring.write(writer.bytes, encodeSample(writer, sample, this.format));
  }

  #isWanted(user: boolean, tid: number): boolean {
    const { flags } = this.attr;
    if (user ? flags.has('exclude_user') : flags.has('exclude_kernel')) return false;
    if (this.target.pid === -1 && !flags.has('exclude_idle')) return true;
    if (flags.has('exclude_idle') && tid === 0) return false;
    return this.target.pid === -1 || this.target.pid === tid;
  }

  #value(time: bigint): bigint {
    return Number(this.attr.config) <= PerfSwIds.PERF_COUNT_SW_TASK_CLOCK ? time - this.#resetTime : this.#counted;
  }

  #lost(): bigint {
    return this.#ring?.area.lostTotal ?? 0n;
  }

  #needOpen(what: string): void {
    if (this.#closed) throw new BpfError('EBADF', `${what}: the perf event is closed`, { value: this.id });
  }
}

/** Clocks sample by period, dummy and bpf-output never; a frequency becomes the nearest shorter period. */
function periodOf(attr: PerfEventAttr, value: bigint): bigint {
  const isClock = Number(attr.config) <= PerfSwIds.PERF_COUNT_SW_TASK_CLOCK;
  if (!isClock || value === 0n) return 0n;
  const period = attr.flags.has('freq') ? NSEC_PER_SEC / value : value;
  return period < MIN_PERIOD ? MIN_PERIOD : period;
}
