import type { TraceEventDescriptor } from '../../index.js';
import { arg, fieldEvent } from './event-fields.js';

/** What CPUs do while nothing runs, and how fast they are told to be. */
export function powerEvents(): Readonly<Record<string, TraceEventDescriptor>> {
  const cpu = (name: string): TraceEventDescriptor =>
    fieldEvent('power', name, '"state=%lu cpu_id=%lu", (unsigned long)REC->state, (unsigned long)REC->cpu_id', [
      ['u32 state', arg(0)],
      ['u32 cpu_id', arg(1)],
    ]);
  return { cpu_idle: cpu('cpu_idle'), cpu_frequency: cpu('cpu_frequency') };
}
