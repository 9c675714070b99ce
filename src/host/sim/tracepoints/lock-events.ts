import type { TraceEventDescriptor } from '../../index.js';
import { arg, fieldEvent } from './event-fields.js';

const FLAGS = ['SPIN', 'READ', 'WRITE', 'RT', 'PERCPU', 'MUTEX'].map((name, bit) => `{ (1U << ${bit}), "${name}" }`);

/** Locks that somebody has to wait for. */
export function lockEvents(): Readonly<Record<string, TraceEventDescriptor>> {
  return {
    contention_begin: fieldEvent(
      'lock',
      'contention_begin',
      `"%p (flags=%s)", REC->lock_addr, __print_flags(REC->flags, "|", ${FLAGS.join(', ')} )`,
      [
        ['void * lock_addr', arg(0)],
        ['unsigned int flags', arg(1)],
      ],
    ),
    contention_end: fieldEvent('lock', 'contention_end', '"%p (ret=%d)", REC->lock_addr, REC->ret', [
      ['void * lock_addr', arg(0)],
      ['int ret', arg(1)],
    ]),
  };
}
