import { describe, expect, it } from 'vitest';
import { Errno } from '../../src/base/index.js';
import {
  type KprobeEvent,
  KprobeEvents,
  KprobeRegistry,
  KretprobeRegistry,
  printEvent,
  PROBE_EVENT_ERRORS,
  ProbeEventError,
} from '../../src/kprobe/index.js';
import { formatOf, type TraceEvent, TracepointRegistry } from '../../src/tracepoint/index.js';
import { TestRuntime } from '../support/test-runtime.js';
import { readRecording, RecordedGuest, type RecordedCase } from './recorded-guest.js';

const recording = readRecording('events-x86_64.txt');

/** Definitions that later kernels answer otherwise, and kscope as they do. */
const NEWER: Readonly<Record<string, number>> = {
  'p:args vfs_read %di:char': 0,
  'p:args vfs_read +0(%di):char[4]': 0,
  [`p:args vfs_read ${Array.from({ length: 129 }, (_, i) => `a${i}=%di`).join(' ')}`]: Errno.E2BIG,
};

class EventWorld {
  readonly guest = new RecordedGuest(recording);
  readonly kprobes = new KprobeRegistry(this.guest.host);
  readonly tracepoints: TracepointRegistry;
  readonly events: KprobeEvents;
  readonly hits: string[] = [];

  constructor() {
    const { runtime } = new TestRuntime(this.guest.host);
    this.tracepoints = new TracepointRegistry(runtime, { list: [], setEnabled: () => {}, setSink: () => {} });
    this.events = new KprobeEvents(this.kprobes, new KretprobeRegistry(this.kprobes), {
      exists: (group, name) => `${group}/${name}` === 'sched/sched_switch',
      added: (event) => this.tracepoints.add(event),
      removing: ({ group, name }) => this.tracepoints.remove(group, name),
    });
  }

  /** errno and error_log of one write. */
  write(line: string): { errno: number; log: string } {
    try {
      this.events.write(`${this.#named(line)}\n`);
      return { errno: 0, log: '' };
    } catch (error) {
      if (!(error instanceof ProbeEventError)) throw error;
      return { errno: Errno[error.code], log: error.log };
    }
  }

  formats(): string {
    return this.#all()
      .map(([, event]) => formatOf(event).replace(/ID: .*\n/, ''))
      .join('\n');
  }

  /** The lines that the workload leaves in `trace` with all events on. */
  trace(): string[] {
    for (const [event, traceEvent] of this.#all()) {
      const { name, isReturn, layout, probes } = event;
      const { args } = probes[0].definition;
      traceEvent.register((_data, record) => {
        this.hits.push(printEvent({ name, isReturn, args, layout }, record.bytes(), this.guest.host.symbols));
      }, event);
    }
    this.guest.workload();
    return this.hits;
  }

  #all(): [KprobeEvent, TraceEvent][] {
    return this.events.events.map((event) => [event, this.tracepoints.event(event.group, event.name)]);
  }

  /** `{NAME}` stands for an address, as the recording init replaces it. */
  #named(line: string): string {
    return line.replace(/\{(\w+)\}/, (_all, name: string) => {
      return `0x${(this.guest.host.symbols.lookup(name)?.address ?? 0n).toString(16)}`;
    });
  }
}

function replay({ writes }: RecordedCase, world: EventWorld): { line: string; errno: number; log: string }[] {
  return writes.map(({ line }) => ({ line, ...world.write(line) }));
}

describe(`kprobe_events as Linux ${recording.release} answers`, () => {
  const cases = recording.cases.filter(({ title }) => !(title in NEWER));
  it.each(cases.map((one) => [one.title.slice(0, 120), one] as const))('%s', (_title, one) => {
    const world = new EventWorld();
    expect(replay(one, world)).toEqual(one.writes);
    expect(world.events.toString()).toBe(one.definitions.map((line) => `${line}\n`).join(''));
    expect(world.formats()).toBe(one.formats);
    const hits = one.hits.filter((line) => !/^r?regs: /.test(line));
    if (hits.length > 0) expect(world.trace()).toEqual(hits);
  });

  it('logs every error of the grammar in some case', () => {
    const logged = recording.cases.flatMap(({ writes }) => writes.map(({ log }) => /error: (.*)/.exec(log)?.[1] ?? ''));
    // The kernel's own table has no text for what it does not refuse yet.
    const texts: string[] = Object.values(PROBE_EVENT_ERRORS).filter(
      (text) => text !== PROBE_EVENT_ERRORS.TOO_MANY_ARGS,
    );
    expect(texts.filter((text) => !logged.includes(text))).toEqual([]);
  });
});

describe('kprobe_events as later kernels answer', () => {
  it.each(Object.entries(NEWER).map(([line, errno]) => [line.slice(0, 80), line, errno] as const))(
    '%s',
    (_title, line, errno) => {
      expect(recording.cases.map(({ title }) => title)).toContain(line);
      expect(new EventWorld().write(line).errno).toBe(errno);
    },
  );
});

describe('where Linux says little or nothing, the error', () => {
  it.each([
    ['p:name', /EINVAL; write p\[:\[GROUP\/\]EVENT\] PLACE \[ARG\]/],
    ['x vfs_read', /EINVAL; write p\[:\[GROUP\/\]EVENT\] PLACE/],
    ['p:name /bin/sh:0x40', /EINVAL; \/bin\/sh:0x40 is the place of a uprobe: write p/],
    ['p:name vfs_raed', /offset 7 .*ENOENT; Invalid probed address or symbol: similar names: vfs_read/],
    ['p:name vfs_read $comm:u8', /EINVAL; \$comm is a string, and no array: leave :u8 out/],
    ['-', /EINVAL; name what goes away: -:\[GROUP\/\]EVENT/],
    ['-:', /EINVAL; name what goes away/],
    ['-:nobody', /ENOENT; there is no such event/],
  ])('of "%s" says what to do', (line, message) => {
    const { events } = new EventWorld();
    expect(() => events.write(line)).toThrow(message);
  });
});
