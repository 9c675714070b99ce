// SPDX-License-Identifier: MIT
/* exitsnoop: every process that ends: how long it lived, with which status or by which signal. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16

struct event {
	__u64 ts;
	__u32 pid;
	__u32 ppid;
	__u64 age_us;
	__u32 status;
	__u32 signal;
	char comm[TASK_COMM_LEN];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

/* Only processes that did not end with status 0. */
const volatile bool failed_only = false;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u64 now = bpf_ktime_get_ns();
	struct event *event;

	/* Threads end before their process does. */
	if (task->pid != task->tgid || (failed_only && !task->exit_code))
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return 0;
	event->ts = now;
	event->pid = task->tgid;
	event->ppid = task->real_parent->tgid;
	event->age_us = (now - task->start_time) / 1000;
	event->status = task->exit_code >> 8;
	event->signal = task->exit_code & 0x7f;
	bpf_get_current_comm(&event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
