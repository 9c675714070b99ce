// SPDX-License-Identifier: MIT
/* openat-kprobe: every open, with its result, by the kernel's own functions: for kernels that offer no tracepoints. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#define TASK_COMM_LEN 16
#define NAME_MAX 255

struct event {
	__u64 ts;
	__u32 pid;
	__u32 uid;
	int ret;
	char comm[TASK_COMM_LEN];
	char fname[NAME_MAX];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

/* Only this process, or 0 for all. */
const volatile __u32 target_pid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} start SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

SEC("kprobe/do_sys_openat2")
int BPF_KPROBE(open_entry, int dfd, const char *filename)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u64 name = (__u64)filename;
	__u32 tid = id;

	if (target_pid && target_pid != id >> 32)
		return 0;
	bpf_map_update_elem(&start, &tid, &name, BPF_ANY);
	return 0;
}

SEC("kretprobe/do_sys_openat2")
int BPF_KRETPROBE(open_return, int ret)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;
	__u32 tid = id;
	__u64 *name;

	name = bpf_map_lookup_elem(&start, &tid);
	if (!name)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event->ts = bpf_ktime_get_ns();
		event->pid = id >> 32;
		event->uid = bpf_get_current_uid_gid();
		event->ret = ret;
		bpf_get_current_comm(&event->comm, sizeof(event->comm));
		bpf_probe_read_user_str(&event->fname, sizeof(event->fname), (const void *)*name);
		bpf_ringbuf_submit(event, 0);
	}
	bpf_map_delete_elem(&start, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
