import type { TraceEventDescriptor } from '../../index.js';
import type { KernelLayout } from '../kernel-layout.js';
import { put32, putText, traceEvent } from './event-builder.js';
import { read64, readText } from './struct-reader.js';

const SOFTIRQS = ['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'];

/** Interrupts, softirqs and the local timer's vector. */
export function irqEvents(layout: KernelLayout): Readonly<Record<string, TraceEventDescriptor>> {
  const nameAt = layout.offset('irqaction', 'name');
  const symbols = SOFTIRQS.map((name, i) => `{ ${i}, "${name}" }`).join(', ');

  const softirq = (name: string): TraceEventDescriptor =>
    traceEvent(
      'irq',
      name,
      ['unsigned int vec'],
      `"vec=%u [action=%s]", REC->vec, __print_symbolic(REC->vec, ${symbols})`,
      (args, record) => put32(record, 8, args[0]),
    );
  const vector = (name: string): TraceEventDescriptor =>
    traceEvent('irq_vectors', name, ['int vector'], '"vector=%d", REC->vector', (args, record) =>
      put32(record, 8, args[0]),
    );

  return {
    irq_handler_entry: traceEvent(
      'irq',
      'irq_handler_entry',
      ['int irq', '__data_loc char[] name'],
      '"irq=%d name=%s", REC->irq, __get_str(name)',
      (args, record, memory) => {
        put32(record, 8, args[0]);
        putText(record, 12, readText(memory, read64(memory, args[2], args[3], nameAt)));
      },
    ),
    irq_handler_exit: traceEvent(
      'irq',
      'irq_handler_exit',
      ['int irq', 'int ret'],
      '"irq=%d ret=%s", REC->irq, REC->ret ? "handled" : "unhandled"',
      (args, record) => {
        put32(record, 8, args[0]);
        put32(record, 12, args[4]);
      },
    ),
    softirq_raise: softirq('softirq_raise'),
    softirq_entry: softirq('softirq_entry'),
    softirq_exit: softirq('softirq_exit'),
    reschedule_entry: vector('reschedule_entry'),
    reschedule_exit: vector('reschedule_exit'),
    local_timer_entry: vector('local_timer_entry'),
    local_timer_exit: vector('local_timer_exit'),
  };
}
