// SPDX-License-Identifier: MIT
/* funclatency: time spent in vfs_read and vfs_write, as histograms of nanoseconds. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "hist.h"

enum func {
	VFS_READ,
	VFS_WRITE,
};

struct call {
	__u32 tid;
	enum func func;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, struct call);
	__type(value, __u64);
} start SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2);
	__type(key, enum func);
	__type(value, struct hist);
} nsecs SEC(".maps");

static const struct hist zero;

static __always_inline int enter(enum func func)
{
	struct call call = { .tid = bpf_get_current_pid_tgid(), .func = func };
	__u64 ts = bpf_ktime_get_ns();

	bpf_map_update_elem(&start, &call, &ts, BPF_ANY);
	return 0;
}

static __always_inline int leave(enum func func)
{
	struct call call = { .tid = bpf_get_current_pid_tgid(), .func = func };
	struct hist *hist;
	__u64 *ts, delta;

	ts = bpf_map_lookup_elem(&start, &call);
	if (!ts)
		return 0;
	delta = bpf_ktime_get_ns() - *ts;
	bpf_map_delete_elem(&start, &call);
	hist = bpf_map_lookup_elem(&nsecs, &func);
	if (!hist) {
		bpf_map_update_elem(&nsecs, &func, &zero, BPF_NOEXIST);
		hist = bpf_map_lookup_elem(&nsecs, &func);
		if (!hist)
			return 0;
	}
	hist_add(hist, delta);
	return 0;
}

SEC("kprobe/vfs_read")
int vfs_read_entry(void *ctx)
{
	return enter(VFS_READ);
}

SEC("kretprobe/vfs_read")
int vfs_read_return(void *ctx)
{
	return leave(VFS_READ);
}

SEC("kprobe/vfs_write")
int vfs_write_entry(void *ctx)
{
	return enter(VFS_WRITE);
}

SEC("kretprobe/vfs_write")
int vfs_write_return(void *ctx)
{
	return leave(VFS_WRITE);
}

char LICENSE[] SEC("license") = "GPL";
