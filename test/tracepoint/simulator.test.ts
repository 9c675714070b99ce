import { expect, it } from 'vitest';
import { createSim, JournalKind } from '../../src/host/sim/index.js';
import { BpfRuntime } from '../../src/runtime/index.js';
import { formatOf, TracepointRegistry, type TraceEvent } from '../../src/tracepoint/index.js';
import { golden } from '../support/golden.js';

/** Events whose records hold no address of the kernel image. */
const EVENTS = [
  'sched:sched_switch',
  'sched:sched_wakeup',
  'sched:sched_process_fork',
  'sched:sched_process_exec',
  'sched:sched_process_exit',
  'syscalls:sys_exit_openat',
  'syscalls:sys_exit_read',
  'raw_syscalls:sys_exit',
  'block:block_rq_issue',
  'block:block_rq_complete',
  'irq:irq_handler_entry',
  'irq:irq_handler_exit',
];

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

it('the first record of each event, byte for byte, with its format', () => {
  const host = createSim({ workload: 'mixed', seed: 3 });
  const registry = new TracepointRegistry(new BpfRuntime(host));
  const first = new Map<TraceEvent, string>();
  const events = EVENTS.map((name) => registry.event(...(name.split(':') as [string, string])));
  for (const event of events) {
    event.register((_data, record) => {
      if (!first.has(event)) first.set(event, hex(record.bytes()));
    }, null);
  }
  expect(host.run({ instructions: 60_000_000 })).toBe('finished');
  golden(
    'hooks/simulator-records.txt',
    events.map((event) => `${formatOf(event)}record: ${first.get(event)}\n`).join('\n'),
  );
});

it('every event of the machine has ids from 1 and a format that fits its record', () => {
  const host = createSim();
  const registry = new TracepointRegistry(new BpfRuntime(host));
  expect(registry.events.map(({ id }) => id)).toEqual(registry.events.map((_, i) => i + 1));
  for (const event of registry.events) {
    let end = 8;
    for (const { offset, size, name } of event.descriptor.fields) {
      expect(offset, `${event.name}.${name}`).toBeGreaterThanOrEqual(end);
      end = offset + size;
    }
    expect(event.descriptor.size, event.name).toBeGreaterThanOrEqual(end);
  }
});

it('hits are handled exactly as often as the journal says', () => {
  const host = createSim({ workload: 'mixed', seed: 4 });
  const registry = new TracepointRegistry(new BpfRuntime(host));
  const event = registry.event('sched', 'sched_switch');
  const enter = registry.event('raw_syscalls', 'sys_enter');
  const read = registry.event('syscalls', 'sys_enter_read');
  const nothing = (): void => {};
  for (const each of [event, enter, read]) each.register(nothing, null);
  expect(host.run({ instructions: 60_000_000 })).toBe('finished');
  const journal = [...host.journal.entries()];
  const count = (kind: number, nr?: bigint): number =>
    journal.filter((entry) => entry.kind === kind && (nr === undefined || entry.b === nr)).length;
  expect([event.hits, enter.hits, read.hits]).toEqual([
    count(JournalKind.SWITCH),
    count(JournalKind.SYSCALL_ENTER),
    count(JournalKind.SYSCALL_ENTER, 0n),
  ]);
});
