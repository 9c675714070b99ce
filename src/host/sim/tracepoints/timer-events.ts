import type { TraceEventDescriptor } from '../../index.js';
import type { KernelLayout } from '../kernel-layout.js';
import { put32, putArg, putPair, traceEvent } from './event-builder.js';
import { read64 } from './struct-reader.js';

const MODES = [
  '{ HRTIMER_MODE_ABS, "ABS" }',
  '{ HRTIMER_MODE_REL, "REL" }',
  '{ HRTIMER_MODE_PINNED, "PINNED" }',
  '{ HRTIMER_MODE_ABS|HRTIMER_MODE_PINNED, "ABS|PINNED" }',
  '{ HRTIMER_MODE_REL|HRTIMER_MODE_PINNED, "REL|PINNED" }',
  '{ HRTIMER_MODE_SOFT, "SOFT" }',
  '{ HRTIMER_MODE_ABS|HRTIMER_MODE_SOFT, "ABS|SOFT" }',
  '{ HRTIMER_MODE_REL|HRTIMER_MODE_SOFT, "REL|SOFT" }',
].join(', ');

const TIMER_START_FMT =
  '"timer=%p function=%ps expires=%lu [timeout=%ld] cpu=%u idx=%u flags=%s", REC->timer, REC->function, REC->expires, ' +
  '(long)REC->expires - REC->now, REC->flags & 0x0003FFFF, REC->flags >> 22, __print_flags(REC->flags & ' +
  '(0x00040000 | 0x00080000 | 0x00100000 | 0x00200000), "|", { 0x00040000, "M" }, { 0x00080000, "D" }, { 0x00100000, "P" }, { 0x00200000, "I" })';

/** Timer wheel and high-resolution timers. */
export function timerEvents(
  layout: KernelLayout,
  jiffies: (out: Int32Array) => void,
): Readonly<Record<string, TraceEventDescriptor>> {
  const timerFunction = layout.offset('timer_list', 'function');
  const hrtimerFunction = layout.offset('hrtimer', 'function');
  const softexpires = layout.offset('hrtimer', '_softexpires');
  const now = new Int32Array(2);

  return {
    timer_start: traceEvent(
      'timer',
      'timer_start',
      ['void * timer', 'void * function', 'unsigned long expires', 'unsigned long now', 'unsigned int flags'],
      TIMER_START_FMT,
      (args, record, memory) => {
        const called = read64(memory, args[0], args[1], timerFunction);
        putArg(record, 8, args, 0);
        putPair(record, 16, called.lo, called.hi);
        putArg(record, 24, args, 1);
        jiffies(now);
        putPair(record, 32, now[0], now[1]);
        put32(record, 40, args[4]);
      },
    ),
    timer_expire_entry: traceEvent(
      'timer',
      'timer_expire_entry',
      ['void * timer', 'unsigned long now', 'void * function', 'unsigned long baseclk'],
      '"timer=%p function=%ps now=%lu baseclk=%lu", REC->timer, REC->function, REC->now, REC->baseclk',
      (args, record, memory) => {
        const called = read64(memory, args[0], args[1], timerFunction);
        putArg(record, 8, args, 0);
        jiffies(now);
        putPair(record, 16, now[0], now[1]);
        putPair(record, 24, called.lo, called.hi);
        putArg(record, 32, args, 1);
      },
    ),
    timer_expire_exit: traceEvent(
      'timer',
      'timer_expire_exit',
      ['void * timer'],
      '"timer=%p", REC->timer',
      (args, record) => putArg(record, 8, args, 0),
    ),
    hrtimer_start: traceEvent(
      'timer',
      'hrtimer_start',
      ['void * hrtimer', 'void * function', 's64 expires', 's64 softexpires', 'enum hrtimer_mode mode'],
      '"hrtimer=%p function=%ps expires=%llu softexpires=%llu mode=%s", REC->hrtimer, REC->function, ' +
        `(unsigned long long) REC->expires, (unsigned long long) REC->softexpires, __print_symbolic(REC->mode, ${MODES})`,
      (args, record, memory) => {
        const called = read64(memory, args[0], args[1], hrtimerFunction);
        const expires = read64(memory, args[0], args[1], softexpires);
        putArg(record, 8, args, 0);
        putPair(record, 16, called.lo, called.hi);
        putPair(record, 24, expires.lo, expires.hi);
        putPair(record, 32, expires.lo, expires.hi);
        put32(record, 40, args[2]);
      },
    ),
    hrtimer_expire_entry: traceEvent(
      'timer',
      'hrtimer_expire_entry',
      ['void * hrtimer', 's64 now', 'void * function'],
      '"hrtimer=%p function=%ps now=%llu", REC->hrtimer, REC->function, (unsigned long long) REC->now',
      (args, record, memory) => {
        const called = read64(memory, args[0], args[1], hrtimerFunction);
        const time = read64(memory, args[2], args[3], 0);
        putArg(record, 8, args, 0);
        putPair(record, 16, time.lo, time.hi);
        putPair(record, 24, called.lo, called.hi);
      },
    ),
    hrtimer_expire_exit: traceEvent(
      'timer',
      'hrtimer_expire_exit',
      ['void * hrtimer'],
      '"hrtimer=%p", REC->hrtimer',
      (args, record) => putArg(record, 8, args, 0),
    ),
  };
}
