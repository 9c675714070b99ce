import type {
  HostMemory,
  HostTracepoints,
  TraceEventDescriptor,
  TracepointDescriptor,
  TracepointSink,
} from '../index.js';
import { hi32, lo32 } from '../../base/index.js';
import type { KernelLayout } from './kernel-layout.js';
import type { SimMachine } from './machine/sim-machine.js';
import type { EncodedSimImage } from './sim-image.js';
import type { SimClock } from './sim-clock.js';
import type { SimMemory } from './sim-memory.js';
import type { SimTasks } from './sim-tasks.js';
import { blockEvents } from './tracepoints/block-events.js';
import { cgroupEvents } from './tracepoints/cgroup-events.js';
import { Members } from './tracepoints/event-fields.js';
import type { EventParts } from './tracepoints/event-parts.js';
import { exceptionEvents } from './tracepoints/exception-events.js';
import { ext4Events } from './tracepoints/ext4-events.js';
import { irqEvents } from './tracepoints/irq-events.js';
import { kmemEvents } from './tracepoints/kmem-events.js';
import { lockEvents } from './tracepoints/lock-events.js';
import { netEvents } from './tracepoints/net-events.js';
import { pageCacheEvents } from './tracepoints/page-cache-events.js';
import { oomEvents } from './tracepoints/oom-events.js';
import { powerEvents } from './tracepoints/power-events.js';
import { schedEvents } from './tracepoints/sched-events.js';
import { schedStatEvents } from './tracepoints/sched-stat-events.js';
import { signalEvents } from './tracepoints/signal-events.js';
import { sockEvents } from './tracepoints/sock-events.js';
import { sysEnterEvents, sysExitEvents } from './tracepoints/syscall-events.js';
import { taskEvents } from './tracepoints/task-events.js';
import { timerEvents } from './tracepoints/timer-events.js';
import { vmscanEvents } from './tracepoints/vmscan-events.js';

/** Most arguments of a tracepoint. */
const ARGS_MAX = 12;

/** The kernel's tracepoints: their flags are ints in its data, their hits arrive by hypercall. */
export class SimTracepoints implements HostTracepoints {
  readonly list: readonly TracepointDescriptor[];
  readonly #machine: SimMachine;
  readonly #memory: SimMemory;
  readonly #image: EncodedSimImage;
  /** Argument arrays by count: a sink sees exactly as many as the tracepoint has. */
  readonly #args = Array.from({ length: ARGS_MAX + 1 }, (_, count) => new Int32Array(2 * count));
  readonly #flag = new Uint8Array(4);
  #sink: TracepointSink | null = null;

  constructor(machine: SimMachine, image: EncodedSimImage, memory: SimMemory, parts: TracepointParts) {
    this.#machine = machine;
    this.#memory = memory;
    this.#image = image;
    this.list = describeTracepoints(image, memory, parts);
    machine.observers.tracepoint = (index, lo, hi, count, cpu) => this.#hit(index, lo, hi, count, cpu);
  }

  setEnabled(index: number, enabled: boolean): void {
    const tracepoint = this.#image.tracepoints[index];
    if (tracepoint === undefined) throw new RangeError(`tracepoint ${index} of ${this.list.length}`);
    this.#flag[0] = enabled ? 1 : 0;
    this.#memory.writeKernel(lo32(tracepoint.flag), hi32(tracepoint.flag), this.#flag, 0, 4);
  }

  setSink(sink: TracepointSink | null): void {
    this.#sink = sink;
  }

  #hit(index: number, lo: number, hi: number, count: number, cpu: number): void {
    const args = this.#args[count];
    if (this.#sink === null || args === undefined || this.list[index] === undefined) return;
    const at = this.#memory.physical(lo, hi);
    if (at < 0) return;
    // The arguments lie on a kernel stack, which is contiguous in physical memory.
    const { words } = this.#machine.physical;
    for (let i = 0; i < args.length; i++) args[i] = words[(at >> 2) + i];
    this.#sink(index, args, cpu);
  }
}

/** What the events read from besides memory. */
export interface TracepointParts {
  readonly layout: KernelLayout;
  readonly tasks: SimTasks;
  readonly clock: SimClock;
}

function describeTracepoints(
  image: EncodedSimImage,
  memory: HostMemory,
  parts: TracepointParts,
): TracepointDescriptor[] {
  const { layout, tasks, clock } = parts;
  const currentComm = (dst: Uint8Array, offset: number): boolean => tasks.comm(dst, offset);
  const common: EventParts = {
    layout,
    members: new Members(layout),
    currentComm,
    currentTask: (out) => tasks.current(out),
  };
  const events: Readonly<Record<string, TraceEventDescriptor>> = {
    ...schedEvents(layout),
    ...schedStatEvents(common),
    ...taskEvents(common),
    ...cgroupEvents(common),
    ...signalEvents(common),
    ...kmemEvents(common),
    ...exceptionEvents(common),
    ...powerEvents(),
    ...lockEvents(),
    ...vmscanEvents(common),
    ...oomEvents(common),
    ...pageCacheEvents(common),
    ...ext4Events(common),
    ...netEvents(common),
    ...sockEvents(common),
    ...blockEvents(layout, currentComm),
    ...irqEvents(layout),
    ...timerEvents(layout, (out) => clock.jiffies(out)),
  };
  return image.tracepoints.map(({ name, args }) => ({
    name,
    args,
    writableSize: 0,
    events: eventsOf(name, events, memory),
  }));
}

function eventsOf(
  name: string,
  events: Readonly<Record<string, TraceEventDescriptor>>,
  memory: HostMemory,
): readonly TraceEventDescriptor[] {
  if (name === 'sys_enter') return sysEnterEvents();
  if (name === 'sys_exit') return sysExitEvents(memory);
  const event = events[name];
  return event === undefined ? [] : [event];
}
