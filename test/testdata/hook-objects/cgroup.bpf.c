/* The control groups of each process that starts a program: by the helpers, and by the kernel's structures themselves. */
#include <linux/bpf.h>
#define __VMLINUX_H__
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct kernfs_node {
	__u64 id;
};
struct cgroup {
	int level;
	struct kernfs_node *kn;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};
struct task_struct {
	struct css_set *cgroups;
};
#pragma clang attribute pop

#define LEVELS 4

struct cgroup_event {
	__u64 pid_tgid;
	__u64 id;
	__u64 walked;
	__u64 ancestors[LEVELS];
	__s64 under[2];
	__s32 level;
	__u32 unused;
};

const struct cgroup_event *unused_event __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(max_entries, 2);
} groups SEC(".maps");

SEC("raw_tp/sched_process_exec")
int on_exec(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct cgroup_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	int i;
	if (!event)
		return 0;
	event->pid_tgid = bpf_get_current_pid_tgid();
	event->id = bpf_get_current_cgroup_id();
	event->walked = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	event->level = BPF_CORE_READ(task, cgroups, dfl_cgrp, level);
	for (i = 0; i < LEVELS; i++)
		event->ancestors[i] = bpf_get_current_ancestor_cgroup_id(i);
	event->under[0] = bpf_current_task_under_cgroup(&groups, 0);
	event->under[1] = bpf_current_task_under_cgroup(&groups, 1);
	event->unused = 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char _license[] SEC("license") = "GPL";
