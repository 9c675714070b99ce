// SPDX-License-Identifier: MIT
/* offcputime: where threads leave their CPU, by the stacks they sleep in, and for how many microseconds. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16
#define MAX_DEPTH 127

struct key {
	__u32 pid;
	int kern_stack_id;
	int user_stack_id;
	char comm[TASK_COMM_LEN];
};

struct sleep {
	__u64 since;
	struct key by;
};

/* Shorter absences are left out. */
const volatile __u64 min_us = 1;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct sleep);
} __sleeping SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 10240);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, MAX_DEPTH * sizeof(__u64));
} stackmap SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct key);
	__type(value, __u64);
} usecs SEC(".maps");

static __always_inline void add(const struct key *key, __u64 us)
{
	__u64 *sum = bpf_map_lookup_elem(&usecs, key);

	if (sum)
		__sync_fetch_and_add(sum, us);
	else
		bpf_map_update_elem(&usecs, key, &us, BPF_NOEXIST);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u64 now = bpf_ktime_get_ns(), us;
	__u32 from = prev->pid, to = next->pid;
	struct sleep left = { .since = now };
	struct sleep *slept;

	/* The idle tasks, one for each CPU, are all called 0. */
	if (from) {
		left.by.pid = prev->tgid;
		bpf_probe_read_kernel_str(left.by.comm, sizeof(left.by.comm), prev->comm);
		left.by.kern_stack_id = bpf_get_stackid(ctx, &stackmap, 0);
		left.by.user_stack_id = bpf_get_stackid(ctx, &stackmap, BPF_F_USER_STACK);
		bpf_map_update_elem(&__sleeping, &from, &left, BPF_ANY);
	}
	slept = bpf_map_lookup_elem(&__sleeping, &to);
	if (!slept)
		return 0;
	us = (now - slept->since) / 1000;
	if (us >= min_us)
		add(&slept->by, us);
	bpf_map_delete_elem(&__sleeping, &to);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
