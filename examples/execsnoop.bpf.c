// SPDX-License-Identifier: MIT
/* execsnoop: every execve(2), with its arguments and its result, as it returns. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define TASK_COMM_LEN 16
#define MAX_ARGS 16
#define ARGS_LEN 256
#define ARG_LEN 64

struct event {
	__u64 ts;
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	int ret;
	char comm[TASK_COMM_LEN];
	char args[ARGS_LEN];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

/* Report calls that failed, too. */
const volatile bool with_failed = false;

/* The caller's memory is gone when the call returns: arguments are kept from its start. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct event);
} __started SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

static const struct event empty;

/* The arguments with a blank between them; what does not fit is cut off. */
static __always_inline void read_args(struct event *event, const char *const *argv)
{
	__u32 at = 0;

	for (int i = 0; i < MAX_ARGS; i++) {
		const char *arg = 0;
		long length;

		bpf_probe_read_user(&arg, sizeof(arg), &argv[i]);
		if (!arg || at > ARGS_LEN - ARG_LEN)
			break;
		if (at)
			event->args[(at - 1) & (ARGS_LEN - 1)] = ' ';
		length = bpf_probe_read_user_str(&event->args[at], ARG_LEN, arg);
		if (length <= 0 || length > ARG_LEN)
			break;
		at += length;
	}
}

SEC("tracepoint/syscalls/sys_enter_execve")
int execve_enter(struct trace_event_raw_sys_enter *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct event *event;

	if (bpf_map_update_elem(&__started, &tid, &empty, BPF_NOEXIST))
		return 0;
	event = bpf_map_lookup_elem(&__started, &tid);
	if (!event)
		return 0;
	event->pid = id >> 32;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->uid = bpf_get_current_uid_gid();
	read_args(event, (const char *const *)BPF_CORE_READ(ctx, args[1]));
	return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int execve_exit(struct trace_event_raw_sys_exit *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct event *event = bpf_map_lookup_elem(&__started, &tid);

	if (!event)
		return 0;
	event->ts = bpf_ktime_get_ns();
	event->ret = BPF_CORE_READ(ctx, ret);
	bpf_get_current_comm(&event->comm, sizeof(event->comm));
	if (with_failed || event->ret >= 0)
		bpf_ringbuf_output(&events, event, sizeof(*event), 0);
	bpf_map_delete_elem(&__started, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
