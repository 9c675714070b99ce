// SPDX-License-Identifier: MIT
/* biolatency: time from a block request's issue to its completion, as a histogram of microseconds per disk. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "hist.h"

struct disk {
	char name[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct request *);
	__type(value, __u64);
} start SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct disk);
	__type(value, struct hist);
} usecs SEC(".maps");

static const struct hist zero;

SEC("tp_btf/block_rq_issue")
int BPF_PROG(block_rq_issue, struct request *rq)
{
	__u64 ts = bpf_ktime_get_ns();

	bpf_map_update_elem(&start, &rq, &ts, BPF_ANY);
	return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(block_rq_complete, struct request *rq, int error, unsigned int nr_bytes)
{
	struct disk disk = {};
	struct hist *hist;
	__u64 *ts, delta;

	ts = bpf_map_lookup_elem(&start, &rq);
	if (!ts)
		return 0;
	delta = bpf_ktime_get_ns() - *ts;
	bpf_map_delete_elem(&start, &rq);

	bpf_probe_read_kernel_str(disk.name, sizeof(disk.name), rq->q->disk->disk_name);
	hist = bpf_map_lookup_elem(&usecs, &disk);
	if (!hist) {
		bpf_map_update_elem(&usecs, &disk, &zero, BPF_NOEXIST);
		hist = bpf_map_lookup_elem(&usecs, &disk);
		if (!hist)
			return 0;
	}
	hist_add(hist, delta / 1000);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
