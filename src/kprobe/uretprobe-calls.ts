import { u64 } from '../base/index.js';
import type { ForkedTask, TaskAddress } from '../host/index.js';
import type { Uprobe } from './uprobe.js';
import type { UprobePoint } from './uprobe-point.js';

/** As Linux's MAX_URETPROBE_DEPTH: deeper calls of a task are not followed. */
export const URETPROBE_DEPTH_MAX = 64;

/** One followed call. */
export interface FollowedCall {
  readonly point: UprobePoint;
  /** What was to be told when it was entered. */
  readonly probes: readonly Uprobe[];
  /** Identity of its frame: an address on the stack. */
  readonly frame: bigint;
  /** Where it really returns to. */
  readonly returnTo: bigint;
}

type Missed = keyof Uprobe['missed'];

interface TaskCalls {
  /** Innermost last. */
  readonly calls: FollowedCall[];
  space: number;
}

/** The followed calls of each task. They belong to the task, as its stack does, and are copied with it. */
export class UretprobeCalls {
  readonly #tasks = new Map<bigint, TaskCalls>();

  get empty(): boolean {
    return this.#tasks.size === 0;
  }

  /** The calls that the task is in, once those that it has left are gone. `space`: its address space. */
  of(lo: number, hi: number, space: number): FollowedCall[] {
    const task = u64(lo, hi);
    const known = this.#tasks.get(task);
    if (known === undefined) return [];
    if (known.space === space) return known.calls;
    this.#drop(task, 'exited');
    return [];
  }

  push(lo: number, hi: number, space: number, call: FollowedCall): void {
    const task = u64(lo, hi);
    const known = this.#tasks.get(task);
    if (known === undefined) this.#tasks.set(task, { calls: [call], space });
    else known.calls.push(call);
    for (const probe of call.probes) probe.nactive++;
  }

  /** Takes away the innermost calls from `length` on, which never returned. */
  unwind(calls: FollowedCall[], length: number): void {
    for (const call of calls.splice(length)) miss(call, 'unwound');
  }

  /** The task has no followed calls left. */
  settle(lo: number, hi: number): void {
    const task = u64(lo, hi);
    if (this.#tasks.get(task)?.calls.length === 0) this.#tasks.delete(task);
  }

  /** The task is gone. */
  exited(lo: number, hi: number): void {
    this.#drop(u64(lo, hi), 'exited');
  }

  /** The child has a copy of the parent's stack, and will return from the same calls. */
  forked(parent: TaskAddress, child: ForkedTask): void {
    const known = this.#tasks.get(u64(parent.lo, parent.hi));
    if (known === undefined) return;
    for (const { probes } of known.calls) for (const probe of probes) probe.nactive++;
    this.#tasks.set(u64(child.lo, child.hi), { calls: [...known.calls], space: child.space });
  }

  #drop(task: bigint, cause: Missed): void {
    const known = this.#tasks.get(task);
    if (known === undefined) return;
    for (const call of known.calls) miss(call, cause);
    this.#tasks.delete(task);
  }
}

function miss(call: FollowedCall, cause: Missed): void {
  for (const probe of call.probes) {
    probe.nactive--;
    probe.missed[cause]++;
  }
}
