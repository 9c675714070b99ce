import { JournalKind as Kind } from '../../src/host/sim/index.js';
import type { Pass } from './execution.js';
import type { Task } from './story.js';
import type { ToolSession } from './tool-session.js';

/** A switch from one task to another, with the time that programs on it saw. */
export interface Switch {
  readonly cpu: number;
  readonly time: bigint;
  readonly pass: Pass;
  readonly prev: Task;
  readonly next: Task;
  /** State of the task before: 0 if it could have run on. */
  readonly state: bigint;
}

export interface Wakeup {
  readonly cpu: number;
  readonly time: bigint;
  readonly pass: Pass;
  readonly waker: Task;
  readonly woken: Task;
  /** For the first time: another tracepoint. */
  readonly isNew: boolean;
}

/** One wait: from the moment it began to the switch that ended it. */
export interface Wait extends Switch {
  readonly ns: bigint;
}

export const isSwitch = (event: Switch | Wakeup): event is Switch => 'next' in event;

/** What the scheduler did, in order, at the times of the programs that see it. */
export function schedule(session: ToolSession): (Switch | Wakeup)[] {
  const passes = new Map([
    ...session.passes(Kind.SWITCH, 'sched_switch'),
    ...session.passes(Kind.WAKEUP, 'sched_wakeup'),
    ...session.passes(Kind.WAKEUP, 'sched_wakeup_new'),
  ]);
  return session.story<Switch | Wakeup>(({ kind, index, cpu, b, c, d, task }, world) => {
    const pass = passes.get(index);
    if (pass === undefined) return [];
    const { time } = pass;
    const other = world.task(Number(b)) ?? world.idle(cpu);
    if (kind === Kind.SWITCH) return [{ cpu, time, pass, prev: task, next: other, state: c }];
    return kind === Kind.WAKEUP ? [{ cpu, time, pass, waker: task, woken: other, isNew: d !== 0n }] : [];
  });
}

/** Waits for a CPU: from a wake-up, or from the loss of the CPU while it could run, to the next switch to it. */
export function runQueueWaits(session: ToolSession): Wait[] {
  const since = new Map<number, bigint>();
  const begin = ({ pid }: Task, time: bigint): void => {
    if (pid !== 0) since.set(pid, time);
  };
  return schedule(session).flatMap((event) => {
    if (!isSwitch(event)) {
      begin(event.woken, event.time);
      return [];
    }
    if (event.state === 0n) begin(event.prev, event.time);
    const began = since.get(event.next.pid);
    since.delete(event.next.pid);
    return began === undefined ? [] : [{ ...event, ns: event.time - began }];
  });
}

/** Times between a switch away from a pid and the next switch to it. The idle tasks share one pid. */
export function offCpuWaits(session: ToolSession): Wait[] {
  const since = new Map<number, bigint>();
  return schedule(session)
    .filter(isSwitch)
    .flatMap((event) => {
      since.set(event.prev.pid, event.time);
      const began = since.get(event.next.pid);
      return began === undefined ? [] : [{ ...event, ns: event.time - began }];
    });
}
