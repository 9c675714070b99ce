/* What is adjusted before loading: sizes of maps and of data sections; and metadata that says who made it. */
#include "bpf.h"

struct pair { u32 a, b; };

const volatile char bpf_metadata_author[] = "somebody";
const volatile int bpf_metadata_version = 7;
const volatile u32 count = 1;

u32 first SEC(".data.numbers") = 5;
u32 numbers[1] SEC(".data.numbers") = { 10 };
struct pair pairs[2] SEC(".bss.pairs");
u64 scalar SEC(".data.scalar") = 1;

struct {
	NUMBER(type, HASH);
	NUMBER(max_entries, 2);
	TYPE(key, u32);
	TYPE(value, u64);
} table SEC(".maps");

u64 sink;

SEC("perf_event")
int adds(void *ctx)
{
	u32 i, sum = first + bpf_metadata_version + bpf_metadata_author[0];
	u64 one = 1;

	for (i = 0; i < count && i < 64; i++)
		sum += numbers[i & 63] + pairs[i & 63].b;
	sink = sum + scalar;
	map_update_elem(&table, &sum, &one, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
