// SPDX-License-Identifier: MIT
/* gethostlatency: which machines programs look up by name, and how long the C library takes to find them. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16
#define HOST_MAX 64
#define LIBC "/lib/libc.so.6"

struct event {
	__u64 ts;
	__u64 us;
	__u32 pid;
	char comm[TASK_COMM_LEN];
	char host[HOST_MAX];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

struct lookup {
	__u64 ts;
	char host[HOST_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct lookup);
} lookups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

static __always_inline int enter(const char *host)
{
	struct lookup lookup = { .ts = bpf_ktime_get_ns() };
	__u32 tid = bpf_get_current_pid_tgid();

	if (!host)
		return 0;
	bpf_probe_read_user_str(&lookup.host, sizeof(lookup.host), host);
	bpf_map_update_elem(&lookups, &tid, &lookup, BPF_ANY);
	return 0;
}

static __always_inline int leave(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct lookup *lookup = bpf_map_lookup_elem(&lookups, &tid);
	struct event *event;

	if (!lookup)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (event) {
		event->ts = bpf_ktime_get_ns();
		event->us = (event->ts - lookup->ts) / 1000;
		event->pid = id >> 32;
		bpf_get_current_comm(&event->comm, sizeof(event->comm));
		__builtin_memcpy(&event->host, &lookup->host, sizeof(event->host));
		bpf_ringbuf_submit(event, 0);
	}
	bpf_map_delete_elem(&lookups, &tid);
	return 0;
}

SEC("uprobe/" LIBC ":getaddrinfo")
int BPF_KPROBE(getaddrinfo_enter, const char *host) { return enter(host); }

SEC("uretprobe/" LIBC ":getaddrinfo")
int BPF_KRETPROBE(getaddrinfo_exit) { return leave(); }

SEC("uprobe/" LIBC ":gethostbyname")
int BPF_KPROBE(gethostbyname_enter, const char *host) { return enter(host); }

SEC("uretprobe/" LIBC ":gethostbyname")
int BPF_KRETPROBE(gethostbyname_exit) { return leave(); }

char LICENSE[] SEC("license") = "GPL";
