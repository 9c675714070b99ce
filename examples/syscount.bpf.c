// SPDX-License-Identifier: MIT
/* syscount: calls of each system call, those that failed, and the time they took. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "syscalls.h"

struct start {
	__u64 ts;
	__u64 nr;
};

struct count {
	__u64 calls;
	__u64 failed;
	__u64 ns;
};

/* Only this process, or 0 for all. */
const volatile __u32 target_pid = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct start);
} __started SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, enum syscall);
	__type(value, struct count);
} calls SEC(".maps");

SEC("tracepoint/raw_syscalls/sys_enter")
int sys_enter(struct trace_event_raw_sys_enter *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct start start = { .ts = bpf_ktime_get_ns(), .nr = BPF_CORE_READ(ctx, id) };
	__u32 tid = id;

	if (!target_pid || target_pid == id >> 32)
		bpf_map_update_elem(&__started, &tid, &start, BPF_ANY);
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_exit")
int sys_exit(struct trace_event_raw_sys_exit *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct start *start = bpf_map_lookup_elem(&__started, &tid);
	struct count none = {};
	struct count *count;
	enum syscall nr;

	if (!start)
		return 0;
	nr = start->nr;
	bpf_map_update_elem(&calls, &nr, &none, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&calls, &nr);
	if (count) {
		__sync_fetch_and_add(&count->calls, 1);
		__sync_fetch_and_add(&count->ns, bpf_ktime_get_ns() - start->ts);
		if (BPF_CORE_READ(ctx, ret) < 0)
			__sync_fetch_and_add(&count->failed, 1);
	}
	bpf_map_delete_elem(&__started, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
