import type { V86Host } from '../../../src/host/v86/index.js';
import { Machine } from '../../../src/machine/index.js';
import { CountingProgram } from './counting-program.js';
import { V86Session } from './v86-session.js';

/** One measurement: hits of one probe with one program attached, and how fast they came. */
export interface HitRate {
  readonly hits: number;
  readonly expected: number;
  readonly perSecond: number;
}

/** Lets the guest make `calls` system calls that do nothing but be hit. */
export function measureHits(host: V86Host, calls: number): HitRate {
  const machine = new Machine(host);
  const program = new CountingProgram(machine, 'rate', 'ip');
  machine.attach(program.program, { kind: 'kprobe', symbol: '__ia32_sys_getppid', offset: 0 });
  const start = performance.now();
  new V86Session(host).run(`hot ${calls}`);
  const seconds = (performance.now() - start) / 1e3;
  machine.close();
  return { hits: program.runs, expected: calls, perSecond: Math.round(program.runs / seconds) };
}
