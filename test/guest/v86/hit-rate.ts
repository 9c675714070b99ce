import type { V86Host } from '../../../src/host/v86/index.js';
import { Machine } from '../../../src/machine/index.js';
import { CountingProgram } from './counting-program.js';
import { GuestSession } from './guest-session.js';

/** One measurement: hits of one probe with one program attached, and how fast they came. */
export interface HitRate {
  readonly hits: number;
  readonly expected: number;
  readonly perSecond: number;
}

const IP_SLOT = 12;

/** Lets the guest make `calls` system calls that do nothing but be hit. */
export function measureHits(host: V86Host, calls: number): HitRate {
  const session = new GuestSession(host);
  const machine = new Machine(host);
  const program = new CountingProgram(machine, 'rate', IP_SLOT);
  machine.attach(program.program, { kind: 'kprobe', symbol: '__ia32_sys_getppid', offset: 0 });
  const start = performance.now();
  session.command(`g ${calls}`, 'getppid');
  const seconds = (performance.now() - start) / 1e3;
  machine.close();
  return { hits: program.runs, expected: calls, perSecond: Math.round(program.runs / seconds) };
}
