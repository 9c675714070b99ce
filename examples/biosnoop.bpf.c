// SPDX-License-Identifier: MIT
/* biosnoop: every request to a disk, with who asked for it, how long it was queued and how long the disk took. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16
#define DISK_NAME_LEN 32
#define REQ_OP_MASK 0xff

enum operation { READ = 0, WRITE = 1, FLUSH = 2, DISCARD = 3 };

struct event {
	__u64 ts;
	__u32 pid;
	enum operation op;
	__u64 sector;
	__u32 bytes;
	int error;
	__u64 queued_us;
	__u64 us;
	char comm[TASK_COMM_LEN];
	char disk[DISK_NAME_LEN];
};

/* Keeps `struct event` in the object's BTF, so that readers can decode the ring. */
const struct event *unused_event __attribute__((unused));

struct start {
	__u64 inserted;
	__u64 issued;
	__u32 pid;
	char comm[TASK_COMM_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct request *);
	__type(value, struct start);
} __requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

static __always_inline struct start *start_of(struct request *rq)
{
	struct start *known = bpf_map_lookup_elem(&__requests, &rq);
	struct start fresh = { .pid = bpf_get_current_pid_tgid() >> 32 };

	if (known)
		return known;
	bpf_get_current_comm(&fresh.comm, sizeof(fresh.comm));
	bpf_map_update_elem(&__requests, &rq, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&__requests, &rq);
}

SEC("tp_btf/block_rq_insert")
int BPF_PROG(block_rq_insert, struct request *rq)
{
	struct start *start = start_of(rq);

	if (start)
		start->inserted = bpf_ktime_get_ns();
	return 0;
}

/* A request that nobody queued goes to the disk at once. */
SEC("tp_btf/block_rq_issue")
int BPF_PROG(block_rq_issue, struct request *rq)
{
	struct start *start = start_of(rq);

	if (start)
		start->issued = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(block_rq_complete, struct request *rq, int error, unsigned int nr_bytes)
{
	struct start *start = bpf_map_lookup_elem(&__requests, &rq);
	struct event *event;

	if (!start)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		goto done;
	event->ts = bpf_ktime_get_ns();
	event->pid = start->pid;
	event->op = rq->cmd_flags & REQ_OP_MASK;
	event->sector = rq->__sector;
	event->bytes = nr_bytes;
	event->error = error;
	event->queued_us = start->inserted ? (start->issued - start->inserted) / 1000 : 0;
	event->us = (event->ts - start->issued) / 1000;
	__builtin_memcpy(event->comm, start->comm, sizeof(event->comm));
	bpf_probe_read_kernel_str(event->disk, sizeof(event->disk), rq->q->disk->disk_name);
	bpf_ringbuf_submit(event, 0);
done:
	bpf_map_delete_elem(&__requests, &rq);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
