import { hi32, lo32, u64 } from '../../base/index.js';
import type { Host, TrapFrame } from '../../host/index.js';
import type { HostBench } from './host-bench.js';

/** More than the kernel's comm has: what lies around it must stay. */
const COMM_ROOM = 32;
export const COMM_AT = 8;
const FRAMES = 8;

export interface ClockReading {
  readonly monotonic: bigint;
  readonly boottime: bigint;
  readonly realtime: bigint;
  readonly tai: bigint;
  readonly jiffies: bigint;
}

/** What the host answered while one hit was handled. */
export interface HitReading {
  readonly cpu: number;
  /** `currentCpu()` when the handler began and when it ended. */
  readonly currentCpu: readonly [number, number];
  readonly clock: readonly [ClockReading, ClockReading];
  readonly task: bigint;
  readonly pid: number;
  readonly tgid: number;
  readonly uid: number;
  readonly gid: number;
  /** A zeroed buffer after `tasks.comm(buffer, COMM_AT)`. */
  readonly comm: { readonly ok: boolean; readonly bytes: Uint8Array };
  readonly commOf: string | undefined;
  readonly kernelStack: StackReading;
  readonly userStack: StackReading;
  /** pc of the trap frame. */
  readonly ip: bigint;
  /** pid and tgid as they lie in `current` by the BTF, null where there is none. */
  readonly inMemory: { readonly pid: number; readonly tgid: number } | null;
  /** What became of the user memory that the function's argument points to, null where the facts name none. */
  readonly userMemory: UserMemoryReading | null;
}

export interface UserMemoryReading {
  readonly address: bigint;
  readonly read: boolean;
  /** Whether the same bytes could be written back. */
  readonly written: boolean;
  /** Whether readKernel took the address. */
  readonly kernelReads: boolean;
  /** Whether a read that ends past the last user address succeeded, or touched its destination. */
  readonly pastEnd: boolean;
}

/** Stack walks with room for 0, 1 and several frames. */
export interface StackReading {
  readonly counts: readonly [number, number, number];
  readonly frames: readonly bigint[];
  /** Whether a walk wrote behind the frames it was given room for. */
  readonly overrun: boolean;
}

/** Asks the host for everything that a BPF program can ask for in a hit. */
export function readHit(bench: HostBench, frame: TrapFrame): HitReading {
  const { host } = bench;
  const { clock, tasks, stacks } = host;
  const { regs } = frame;
  const cpuBefore = host.currentCpu();
  const before = readClock(host);
  const pids = pair((out) => tasks.pidTgid(out));
  const ids = pair((out) => tasks.uidGid(out));
  const bytes = new Uint8Array(COMM_ROOM);
  const ok = tasks.comm(bytes, COMM_AT);
  const task = u64(...pair((out) => tasks.current(out)));
  const reading = {
    cpu: frame.cpu,
    task,
    pid: pids[0],
    tgid: pids[1],
    uid: ids[0],
    gid: ids[1],
    comm: { ok, bytes },
    commOf: tasks.commOf(pids[0]),
    kernelStack: readStack((out, max) => stacks.kernel(regs, out, max)),
    userStack: readStack((out, max) => stacks.user(null, out, max)),
    ip: regs.ip,
    inMemory: readPids(bench, task),
    userMemory: readUserMemory(bench, frame),
  };
  // Some time passes for a clock that goes on while handlers run.
  for (let i = 0; i < 50; i++) pair((out) => clock.monotonic(out));
  return { ...reading, currentCpu: [cpuBefore, host.currentCpu()], clock: [before, readClock(host)] };
}

function readPids(bench: HostBench, task: bigint): HitReading['inMemory'] {
  const at = bench.pidOffsets;
  if (at === null) return null;
  const word = (offset: number): number => {
    const { bytes } = bench.read(task + BigInt(offset), 4);
    return new DataView(bytes.buffer).getInt32(0, bench.host.arch.littleEndian);
  };
  return { pid: word(at.pid), tgid: word(at.tgid) };
}

function readUserMemory(bench: HostBench, { regs }: TrapFrame): UserMemoryReading | null {
  const { userArgument, userEnd } = bench.facts;
  if (userArgument === undefined || userEnd === undefined) return null;
  const address = regs.get(regs.layout.args[userArgument]);
  if (!bench.host.memory.isUser(lo32(address), hi32(address))) return null;
  const { ok, bytes } = bench.read(address, 4, 0, 'readUser');
  const past = bench.read(userEnd - 8n, 16, 0, 'readUser');
  return {
    address,
    read: ok,
    written: ok && bench.write(address, bytes, 'writeUser'),
    kernelReads: bench.read(address, 4).ok,
    pastEnd: past.ok || past.bytes.some((byte) => byte !== 0xa5),
  };
}

export function readClock({ clock }: Host): ClockReading {
  return {
    monotonic: u64(...pair((out) => clock.monotonic(out))),
    boottime: u64(...pair((out) => clock.boottime(out))),
    realtime: u64(...pair((out) => clock.realtime(out))),
    tai: u64(...pair((out) => clock.tai(out))),
    jiffies: u64(...pair((out) => clock.jiffies(out))),
  };
}

function pair(fill: (out: Int32Array) => void): [number, number] {
  const out = new Int32Array(2);
  fill(out);
  return [out[0], out[1]];
}

function readStack(walk: (out: Int32Array, max: number) => number): StackReading {
  const one = new Int32Array(4).fill(-1);
  const out = new Int32Array(2 * FRAMES + 2).fill(-1);
  const none = walk(one, 0);
  let overrun = one.some((word) => word !== -1);
  const single = walk(one, 1);
  overrun ||= one[2] !== -1 || one[3] !== -1;
  const count = walk(out, FRAMES);
  overrun ||= out.subarray(2 * FRAMES).some((word) => word !== -1);
  const found = Math.max(0, Math.min(count, FRAMES));
  const frames = Array.from({ length: found }, (_, i) => u64(out[2 * i], out[2 * i + 1]));
  return { counts: [none, single, count], frames, overrun };
}
