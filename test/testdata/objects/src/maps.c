/* Maps of the types tracing programs use, with every attribute. */
#include "bpf.h"

struct key { u32 pid; char comm[16]; };
struct value { u64 count; u32 slots[27]; };

struct {
	NUMBER(type, HASH);
	NUMBER(max_entries, 1024);
	TYPE(key, struct key);
	TYPE(value, struct value);
} by_key SEC(".maps");

struct {
	NUMBER(type, ARRAY);
	NUMBER(max_entries, 4);
	NUMBER(key_size, 4);
	NUMBER(value_size, 16);
} plain SEC(".maps");

struct {
	NUMBER(type, PERCPU_ARRAY);
	NUMBER(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, struct value);
} per_cpu SEC(".maps");

struct {
	NUMBER(type, PERCPU_HASH);
	NUMBER(max_entries, 8);
	NUMBER(map_flags, 1);
	TYPE(key, u64);
	TYPE(value, u64);
} per_cpu_hash SEC(".maps");

struct {
	NUMBER(type, LRU_HASH);
	NUMBER(max_entries, 100);
	TYPE(key, u64);
	TYPE(value, u32);
	NUMBER(pinning, 0);
} recent SEC(".maps");

struct {
	NUMBER(type, PERF_EVENT_ARRAY);
	NUMBER(key_size, sizeof(u32));
	NUMBER(value_size, sizeof(u32));
} events SEC(".maps");

struct {
	NUMBER(type, RINGBUF);
	NUMBER(max_entries, 100000);
} ring SEC(".maps");

struct {
	NUMBER(type, STACK_TRACE);
	NUMBER(max_entries, 64);
	NUMBER(key_size, sizeof(u32));
	NUMBER(value_size, 127 * sizeof(u64));
} stacks SEC(".maps");

int jumped_to(void *ctx);

struct {
	NUMBER(type, PROG_ARRAY);
	NUMBER(max_entries, 3);
	NUMBER(key_size, sizeof(u32));
	int (*values[])(void *ctx);
} jumps SEC(".maps") = { .values = { [1] = jumped_to } };

u64 sink;

SEC("perf_event")
int uses_all(void *ctx)
{
	struct key key = { .pid = (u32)get_current_pid_tgid() };
	struct value *value = map_lookup_elem(&by_key, &key);
	u64 now = ktime_get_ns();
	u32 zero = 0;

	if (value)
		value->count++;
	value = map_lookup_elem(&per_cpu, &zero);
	if (value)
		value->slots[3]++;
	map_update_elem(&per_cpu_hash, &now, &now, 0);
	map_update_elem(&recent, &now, &zero, 0);
	map_update_elem(&plain, &zero, &key, 0);
	perf_event_output(ctx, &events, 0xffffffff, &key, sizeof(key));
	ringbuf_output(&ring, &key, sizeof(key), 0);
	sink = get_stackid(ctx, &stacks, 0);
	tail_call(ctx, &jumps, 1);
	return 0;
}

SEC("perf_event")
int jumped_to(void *ctx)
{
	sink++;
	return 1;
}

/* The same map twice, and none. */
SEC("perf_event")
int uses_one(void *ctx)
{
	u32 zero = 0;

	map_update_elem(&plain, &zero, map_lookup_elem(&plain, &zero) ? &zero : &zero, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
