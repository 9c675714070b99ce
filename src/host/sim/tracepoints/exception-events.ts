import type { TraceEventDescriptor } from '../../index.js';
import { arg, fieldEvent } from './event-fields.js';
import type { EventParts } from './event-parts.js';

/** Page faults. */
export function exceptionEvents({ members }: EventParts): Readonly<Record<string, TraceEventDescriptor>> {
  const fault = (name: string): TraceEventDescriptor =>
    fieldEvent(
      'exceptions',
      name,
      '"address=%ps ip=%ps error_code=0x%lx", (void *)REC->address, (void *)REC->ip, REC->error_code',
      [
        ['unsigned long address', arg(0)],
        ['unsigned long ip', members.field(1, 'pt_regs.ip')],
        ['unsigned long error_code', arg(2)],
      ],
    );
  return { page_fault_user: fault('page_fault_user'), page_fault_kernel: fault('page_fault_kernel') };
}
