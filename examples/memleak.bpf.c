// SPDX-License-Identifier: MIT
/* memleak: what programs have allocated and not given back, by the stacks that asked for it. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define TASK_COMM_LEN 16
#define MAX_DEPTH 127
#define LIBC "/lib/libc.so.6"

/* An address means something within its process only. */
struct block {
	__u64 address;
	__u64 pid;
};

struct key {
	__u32 pid;
	int user_stack_id;
	char comm[TASK_COMM_LEN];
};

struct allocation {
	__u64 size;
	struct key by;
};

struct sum {
	__u64 bytes;
	__u64 blocks;
};

/* Smaller blocks are left out. */
const volatile __u64 min_size = 0;

/* What each thread has asked for and not got yet. Maps named __ are not printed at the end. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, __u64);
} __sizes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 100000);
	__type(key, struct block);
	__type(value, struct allocation);
} __blocks SEC(".maps");

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
	__type(value, struct sum);
} outstanding SEC(".maps");

static __always_inline int asked(__u64 size)
{
	__u32 tid = bpf_get_current_pid_tgid();

	if (size >= min_size)
		bpf_map_update_elem(&__sizes, &tid, &size, BPF_ANY);
	return 0;
}

static __always_inline void add(const struct key *key, __u64 size)
{
	struct sum first = { .bytes = size, .blocks = 1 };
	struct sum *sum = bpf_map_lookup_elem(&outstanding, key);

	if (!sum) {
		bpf_map_update_elem(&outstanding, key, &first, BPF_NOEXIST);
		return;
	}
	__sync_fetch_and_add(&sum->bytes, size);
	__sync_fetch_and_add(&sum->blocks, 1);
}

static __always_inline int got(void *ctx, __u64 address)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct block block = { .address = address, .pid = id >> 32 };
	struct allocation allocation = {};
	__u64 *size = bpf_map_lookup_elem(&__sizes, &tid);

	if (!size)
		return 0;
	allocation.size = *size;
	bpf_map_delete_elem(&__sizes, &tid);
	if (!address)
		return 0;
	allocation.by.pid = id >> 32;
	allocation.by.user_stack_id = bpf_get_stackid(ctx, &stackmap, BPF_F_USER_STACK);
	bpf_get_current_comm(&allocation.by.comm, sizeof(allocation.by.comm));
	bpf_map_update_elem(&__blocks, &block, &allocation, BPF_ANY);
	add(&allocation.by, allocation.size);
	return 0;
}

static __always_inline int gave_back(__u64 address)
{
	struct block block = { .address = address, .pid = bpf_get_current_pid_tgid() >> 32 };
	struct allocation *allocation = bpf_map_lookup_elem(&__blocks, &block);
	struct sum *sum;
	struct key by;

	if (!allocation)
		return 0;
	by = allocation->by;
	sum = bpf_map_lookup_elem(&outstanding, &by);
	if (sum) {
		__sync_fetch_and_add(&sum->bytes, -allocation->size);
		__sync_fetch_and_add(&sum->blocks, -1);
		if (!sum->blocks)
			bpf_map_delete_elem(&outstanding, &by);
	}
	bpf_map_delete_elem(&__blocks, &block);
	return 0;
}

SEC("uprobe/" LIBC ":malloc")
int BPF_KPROBE(malloc_enter, __u64 size) { return asked(size); }

SEC("uretprobe/" LIBC ":malloc")
int BPF_KRETPROBE(malloc_exit, __u64 address) { return got(ctx, address); }

SEC("uprobe/" LIBC ":calloc")
int BPF_KPROBE(calloc_enter, __u64 count, __u64 size) { return asked(count * size); }

SEC("uretprobe/" LIBC ":calloc")
int BPF_KRETPROBE(calloc_exit, __u64 address) { return got(ctx, address); }

SEC("uprobe/" LIBC ":realloc")
int BPF_KPROBE(realloc_enter, __u64 address, __u64 size)
{
	gave_back(address);
	return asked(size);
}

SEC("uretprobe/" LIBC ":realloc")
int BPF_KRETPROBE(realloc_exit, __u64 address) { return got(ctx, address); }

SEC("uprobe/" LIBC ":free")
int BPF_KPROBE(free_enter, __u64 address) { return gave_back(address); }

char LICENSE[] SEC("license") = "GPL";
