/* What main.c uses. */
#include "../src/bpf.h"

u8 pad = 1;
u64 total = 100;
const volatile int step = 5;

struct {
	NUMBER(type, HASH);
	NUMBER(max_entries, 16);
	TYPE(key, u32);
	TYPE(value, u64);
} counts SEC(".maps");

static volatile int factor = 10;

static NOINLINE int times(int value)
{
	return value * factor;
}

int scale(int value)
{
	return times(value) + pad;
}

NOINLINE int chosen(void)
{
	return 2;
}

SEC("perf_event")
int other(void *ctx)
{
	return scale(1) + chosen();
}

char LICENSE[] SEC("license") = "GPL";
