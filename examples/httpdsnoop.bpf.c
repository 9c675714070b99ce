// SPDX-License-Identifier: MIT
/* httpdsnoop: what a web server was asked for and how long it took, by the USDT probes it has. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

#define PATH_MAX 64

struct event {
	__u64 ts;
	__u32 pid;
	int fd;
	int status;
	__u32 bytes;
	__u64 us;
	char path[PATH_MAX];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

struct connection {
	__u32 pid;
	int fd;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct connection);
	__type(value, __u64);
} start SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

SEC("usdt//bin/httpd:httpd:request__start")
int BPF_USDT(request_start, long fd, const char *path)
{
	struct connection connection = { .pid = bpf_get_current_pid_tgid() >> 32, .fd = fd };
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&start, &connection, &now, BPF_ANY);
	return 0;
}

SEC("usdt//bin/httpd:httpd:request__done")
int BPF_USDT(request_done, long fd, const char *path, long bytes, int status)
{
	struct connection connection = { .pid = bpf_get_current_pid_tgid() >> 32, .fd = fd };
	__u64 *began = bpf_map_lookup_elem(&start, &connection);
	struct event *event;

	if (!began)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		goto cleanup;
	event->ts = bpf_ktime_get_ns();
	event->pid = connection.pid;
	event->fd = fd;
	event->status = status;
	event->bytes = bytes;
	event->us = (event->ts - *began) / 1000;
	bpf_probe_read_user_str(&event->path, sizeof(event->path), path);
	bpf_ringbuf_submit(event, 0);
cleanup:
	bpf_map_delete_elem(&start, &connection);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
