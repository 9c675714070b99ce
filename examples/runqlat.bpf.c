// SPDX-License-Identifier: MIT
/* runqlat: how long threads that could run waited for a CPU, as a histogram of microseconds. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "hist.h"

#define TASK_COMM_LEN 16
#define TASK_RUNNING 0

struct name {
	char comm[TASK_COMM_LEN];
};

/* One histogram for each name instead of one for all. */
const volatile bool by_name = false;

/* When each thread began to wait. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} __waiting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct name);
	__type(value, struct hist);
} usecs SEC(".maps");

static const struct hist zero;

static __always_inline int enqueue(__u32 pid)
{
	__u64 now = bpf_ktime_get_ns();

	if (pid)
		bpf_map_update_elem(&__waiting, &pid, &now, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *task)
{
	return enqueue(task->pid);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *task)
{
	return enqueue(task->pid);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 pid = next->pid;
	struct name name = {};
	struct hist *hist;
	__u64 *since;

	/* A thread that is put off its CPU waits from now on. */
	if (prev->__state == TASK_RUNNING)
		enqueue(prev->pid);
	since = bpf_map_lookup_elem(&__waiting, &pid);
	if (!since)
		return 0;
	if (by_name)
		bpf_probe_read_kernel_str(name.comm, sizeof(name.comm), next->comm);
	bpf_map_update_elem(&usecs, &name, &zero, BPF_NOEXIST);
	hist = bpf_map_lookup_elem(&usecs, &name);
	if (hist)
		hist_add(hist, (bpf_ktime_get_ns() - *since) / 1000);
	bpf_map_delete_elem(&__waiting, &pid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
