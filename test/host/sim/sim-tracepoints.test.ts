import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Btf, parseBtf } from '../../../src/btf/index.js';
import type { TraceEventDescriptor } from '../../../src/host/index.js';
import { createSim, type JournalEntry, JournalKind, type SimHost } from '../../../src/host/sim/index.js';
import { startTracing, type TracepointHit } from './sim-fixture.js';

const LIVE_BTF = '/sys/kernel/btf/vmlinux';

/** The struct that describes an event's record where several events share one. */
const CLASSES: Readonly<Record<string, string>> = {
  sched_stat_wait: 'sched_stat_template',
  sched_stat_sleep: 'sched_stat_template',
  sched_stat_iowait: 'sched_stat_template',
  sched_stat_blocked: 'sched_stat_template',
  tcp_retransmit_skb: 'tcp_event_sk_skb',
  tcp_send_reset: 'tcp_event_sk_skb',
  tcp_receive_reset: 'tcp_event_sk',
  tcp_destroy_sock: 'tcp_event_sk',
  tcp_rcv_space_adjust: 'tcp_event_sk',
  net_dev_queue: 'net_dev_template',
  netif_rx: 'net_dev_template',
  netif_receive_skb: 'net_dev_template',
  netif_rx_entry: 'net_dev_rx_verbose_template',
  netif_rx_exit: 'net_dev_rx_exit_template',
  page_fault_user: 'x86_exceptions',
  page_fault_kernel: 'x86_exceptions',
  cpu_idle: 'cpu',
  cgroup_mkdir: 'cgroup',
  cgroup_rmdir: 'cgroup',
  cgroup_attach_task: 'cgroup_migrate',
  cpu_frequency: 'cpu',
  mm_filemap_add_to_page_cache: 'mm_filemap_op_page_cache',
  mm_filemap_delete_from_page_cache: 'mm_filemap_op_page_cache',
  mm_vmscan_direct_reclaim_begin: 'mm_vmscan_direct_reclaim_begin_template',
  mm_vmscan_direct_reclaim_end: 'mm_vmscan_direct_reclaim_end_template',
  writeback_dirty_folio: 'writeback_folio_template',
  folio_wait_writeback: 'writeback_folio_template',
  writeback_start: 'writeback_work_class',
  writeback_written: 'writeback_work_class',
  ext4_da_write_begin: 'ext4__write_begin',
  ext4_da_write_end: 'ext4__write_end',
  ext4_truncate_enter: 'ext4__truncate',
  ext4_truncate_exit: 'ext4__truncate',
  ext4_readpage: 'ext4__page_op',
  ext4_writepage: 'ext4__page_op',
  block_bio_queue: 'block_bio',
  block_getrq: 'block_bio',
  reschedule_entry: 'x86_irq_vector',
  reschedule_exit: 'x86_irq_vector',
  sched_waking: 'sched_wakeup_template',
  sched_wakeup: 'sched_wakeup_template',
  sched_wakeup_new: 'sched_wakeup_template',
  sched_process_exit: 'sched_process_template',
  sched_process_free: 'sched_process_template',
  block_rq_insert: 'block_rq',
  block_rq_issue: 'block_rq',
  block_rq_complete: 'block_rq_completion',
  softirq_raise: 'softirq',
  softirq_entry: 'softirq',
  softirq_exit: 'softirq',
  local_timer_entry: 'x86_irq_vector',
  local_timer_exit: 'x86_irq_vector',
  timer_expire_exit: 'timer_class',
  hrtimer_expire_exit: 'hrtimer_class',
};

/** Records that Linux has laid out in the same way from 6.1 to this day, as far as every configuration has them. */
const STABLE = [
  'sched_switch',
  'sched_wakeup',
  'sys_enter',
  'sys_exit',
  'irq_handler_entry',
  'irq_handler_exit',
  'softirq_entry',
];

function structOf(event: TraceEventDescriptor): string {
  return `trace_event_raw_${CLASSES[event.name] ?? event.name}`;
}

/** Offset and size of each field as `btf` has them, or undefined where it lacks the struct. */
function layoutIn(btf: Btf, event: TraceEventDescriptor): Record<string, string> | undefined {
  const struct = btf.findByName(structOf(event), 'struct');
  if (struct === undefined) return undefined;
  return Object.fromEntries(
    event.fields.map(({ name, type }) => {
      const member = type.startsWith('__data_loc') ? `__data_loc_${name}` : name;
      const at = btf.member(struct.id, member);
      return [name, at === undefined ? 'absent' : `${at.bitOffset / 8}+${btf.sizeOf(at.type)}`];
    }),
  );
}

const ownLayout = (event: TraceEventDescriptor): Record<string, string> =>
  Object.fromEntries(event.fields.map(({ name, offset, size }) => [name, `${offset}+${size}`]));

const allEvents = (host: SimHost): TraceEventDescriptor[] => host.tracepoints.list.flatMap(({ events }) => events);

/** As the kernel itself lists them. */
const systemCalls =
  readFileSync(new URL('../../../src/host/sim/kernel/include/syscalls.def', import.meta.url), 'utf8').match(
    /^SYSCALL\(\w+\)$/gm,
  ) ?? [];

describe('what the trace events look like', () => {
  const host = createSim();

  it('lays records out as the C compiler lays out the kernel header structs', () => {
    for (const event of allEvents(host)) {
      if (event.system === 'syscalls') continue;
      expect(ownLayout(event), event.name).toEqual(layoutIn(host.btf, event));
    }
  });

  it.skipIf(!existsSync(LIVE_BTF))('lays them out as the running Linux does', () => {
    const live = parseBtf(readFileSync(LIVE_BTF));
    for (const event of allEvents(host).filter(({ name }) => STABLE.includes(name))) {
      expect(ownLayout(event), event.name).toEqual(layoutIn(live, event));
    }
  });

  it('has an enter and an exit event per system call of the kernel', () => {
    const calls = allEvents(host).filter(({ system }) => system === 'syscalls');
    expect(calls.length).toBe(2 * systemCalls.length);
    const openat = calls.find(({ name }) => name === 'sys_enter_openat');
    expect(openat?.fields.map(({ name, type, offset, size }) => `${type} ${name} @${offset}:${size}`)).toEqual([
      'int __syscall_nr @8:4',
      'int dfd @16:8',
      'const char * filename @24:8',
      'int flags @32:8',
      'umode_t mode @40:8',
    ]);
    expect(openat?.printFmt).toBe(
      '"dfd: 0x%08lx, filename: 0x%08lx, flags: 0x%08lx, mode: 0x%08lx", ((unsigned long)(REC->dfd)), ' +
        '((unsigned long)(REC->filename)), ((unsigned long)(REC->flags)), ((unsigned long)(REC->mode))',
    );
  });

  it('gives every tracepoint of the image at least one event', () => {
    expect(host.tracepoints.list.filter(({ events }) => events.length === 0).map(({ name }) => name)).toEqual([]);
  });
});

const TRACED = [
  'sched_switch',
  'sched_wakeup',
  'sched_process_fork',
  'sched_process_exec',
  'sched_process_exit',
  'sys_enter',
  'sys_exit',
  'block_rq_insert',
  'block_rq_issue',
  'block_rq_complete',
  'irq_handler_entry',
  'irq_handler_exit',
  'hrtimer_expire_entry',
  'hrtimer_expire_exit',
];

describe('what the tracepoints tell, against the journal', () => {
  let host: SimHost;
  const hits: TracepointHit[] = [];
  const hitsOf = (name: string): TracepointHit[] => hits.filter((hit) => hit.name === name);
  const journal = (kind: number): JournalEntry[] => [...host.journal.entries(kind)];

  beforeAll(() => {
    host = createSim({ workload: 'mixed', seed: 3 });
    startTracing(host, TRACED, (hit) => hits.push(hit));
    expect(host.run()).toBe('finished');
  });

  it('sees each switch the journal has, with the same tasks', () => {
    for (const each of [0, 1]) {
      const seen = hitsOf('sched_switch')
        .filter(({ cpu }) => cpu === each)
        .map(({ fields }) => [fields['prev_pid'], fields['next_pid']]);
      const written = journal(JournalKind.SWITCH).filter(({ cpu }) => cpu === each);
      expect(seen).toEqual(written.map(({ a, b }) => [Number(a), Number(b)]));
      expect(seen.length).toBeGreaterThan(50);
    }
  });

  it.each([0, 1])('on CPU %i the next task of a switch is the previous one of the following', (cpu) => {
    const switches = hitsOf('sched_switch').filter((hit) => hit.cpu === cpu);
    switches.slice(1).forEach((hit, i) => {
      expect(hit.fields['prev_pid']).toBe(switches[i]?.fields['next_pid']);
    });
  });

  it('never runs a task on two CPUs, and its time on and off CPU adds up to its life', () => {
    const onSince = new Map<number, number>();
    const offSince = new Map<number, number>();
    const born = new Map<number, number>();
    const on = new Map<number, number>();
    const off = new Map<number, number>();
    const last = new Map<number, number>();
    for (const { time, fields } of hitsOf('sched_switch')) {
      const [prev, next] = [Number(fields['prev_pid']), Number(fields['next_pid'])];
      if (prev !== 0) {
        const since = onSince.get(prev);
        expect(since, `pid ${prev} leaves a CPU it was not on`).toBeDefined();
        on.set(prev, (on.get(prev) ?? 0) + time - (since ?? time));
        onSince.delete(prev);
        offSince.set(prev, time);
        last.set(prev, time);
      }
      if (next === 0) continue;
      expect(onSince.has(next), `pid ${next} is on two CPUs`).toBe(false);
      if (!born.has(next)) born.set(next, time);
      off.set(next, (off.get(next) ?? 0) + time - (offSince.get(next) ?? time));
      onSince.set(next, time);
    }
    expect(on.size).toBeGreaterThan(10);
    for (const [pid, time] of on) {
      expect(time + (off.get(pid) ?? 0), `pid ${pid}`).toBe(
        (onSince.get(pid) ?? last.get(pid) ?? 0) - (born.get(pid) ?? 0),
      );
    }
  });

  it('fills each CPU with tasks: their times add up to what has passed', () => {
    for (const cpu of [0, 1]) {
      const switches = hitsOf('sched_switch').filter((hit) => hit.cpu === cpu);
      const spent = switches.slice(1).map((hit, i) => hit.time - (switches[i]?.time ?? 0));
      expect(Math.min(...spent)).toBeGreaterThanOrEqual(0);
      const total = (switches.at(-1)?.time ?? 0) - (switches[0]?.time ?? 0);
      expect(spent.reduce((sum, part) => sum + part, 0)).toBe(total);
    }
  });

  it('pairs system calls, apart from those that do not return', () => {
    const open = new Map<string, number>();
    const task = (entry: JournalEntry): string => entry.a.toString();
    const forked = new Set(journal(JournalKind.FORK).map(({ b }) => b.toString()));
    for (const entry of host.journal.entries()) {
      if (entry.kind === JournalKind.SYSCALL_ENTER) {
        expect(open.has(task(entry))).toBe(false);
        open.set(task(entry), Number(entry.b));
      } else if (entry.kind === JournalKind.SYSCALL_EXIT) {
        const first = forked.delete(task(entry)) || entry.b === 59n;
        if (!open.has(task(entry))) expect(first, `exit of ${entry.b} without entry`).toBe(true);
        else expect(open.get(task(entry))).toBe(Number(entry.b));
        open.delete(task(entry));
      }
    }
    expect(hitsOf('sys_enter').length).toBe(journal(JournalKind.SYSCALL_ENTER).length);
    expect(hitsOf('sys_exit').length).toBe(journal(JournalKind.SYSCALL_EXIT).length);
    // Not in order: between the kernel's two notes of one call another task may act.
    for (const each of [0, 1]) {
      const onCpu = ({ cpu }: { cpu: number }): boolean => cpu === each;
      const entered = hitsOf('sys_enter').filter(onCpu);
      expect(entered.map(({ pid, fields }) => `${pid} ${fields['id']}`).toSorted()).toEqual(
        journal(JournalKind.SYSCALL_ENTER)
          .filter(onCpu)
          .map(({ a, b }) => `${a & 0xffff_ffffn} ${b}`)
          .toSorted(),
      );
      const left = hitsOf('sys_exit').filter(onCpu);
      expect(left.map(({ pid, fields }) => `${pid} ${fields['ret']}`).toSorted()).toEqual(
        journal(JournalKind.SYSCALL_EXIT)
          .filter(onCpu)
          .map(({ a, c }) => `${a & 0xffff_ffffn} ${BigInt.asIntN(64, c)}`)
          .toSorted(),
      );
    }
  });

  it('pairs block requests: issued once, completed once, no sooner', () => {
    const requestOf = (hit: TracepointHit): string => `${hit.args[0]}:${hit.args[1]}`;
    const inFlight = new Map<string, TracepointHit>();
    let completed = 0;
    for (const hit of hits) {
      if (hit.name === 'block_rq_issue') {
        expect(inFlight.has(requestOf(hit))).toBe(false);
        inFlight.set(requestOf(hit), hit);
      } else if (hit.name === 'block_rq_complete') {
        const issue = inFlight.get(requestOf(hit));
        expect(issue).toBeDefined();
        expect(hit.fields['sector']).toBe(issue?.fields['sector']);
        expect(hit.fields['nr_sector']).toBe(issue?.fields['nr_sector']);
        expect(hit.time).toBeGreaterThan(issue?.time ?? 0);
        inFlight.delete(requestOf(hit));
        completed++;
      }
    }
    expect(inFlight.size).toBe(0);
    expect(completed).toBe(journal(JournalKind.BLOCK_COMPLETE).length);
    expect(completed).toBeGreaterThan(20);
    expect(new Set(hitsOf('block_rq_issue').map(({ fields }) => fields['rwbs']))).toEqual(new Set(['R', 'W', 'WS']));
  });

  it('names what the kernel did: forks, execs, exits, interrupts', () => {
    const forks = hitsOf('sched_process_fork');
    expect(forks.map(({ fields }) => fields['child_pid'])).toEqual(
      journal(JournalKind.FORK).map(({ b }) => Number(b & 0xffff_ffffn)),
    );
    const execs = hitsOf('sched_process_exec');
    expect(execs.map(({ fields }) => fields['pid'])).toEqual(
      journal(JournalKind.EXEC).map(({ a }) => Number(a & 0xffff_ffffn)),
    );
    expect(execs.map(({ fields }) => fields['filename'])).toContain('/bin/sh');
    expect(hitsOf('sched_process_exit').length).toBe(journal(JournalKind.EXIT).length);
    const irqs = hitsOf('irq_handler_entry');
    expect(irqs.every(({ fields }) => fields['irq'] === 24 && fields['name'] !== '')).toBe(true);
    expect(irqs.length).toBe(hitsOf('irq_handler_exit').length);
    expect(hitsOf('hrtimer_expire_entry').length).toBe(journal(JournalKind.HRTIMER_ENTER).length);
  });

  it('costs nothing when off: no hit without a flag', () => {
    const quiet = createSim({ workload: 'shell' });
    let called = 0;
    quiet.tracepoints.setSink(() => called++);
    quiet.run();
    expect(called).toBe(0);
  });
});
