/* Global data of every sort and place, and addresses into it. */
#include "bpf.h"

struct event { u32 pid; u8 kind; char comm[16]; u64 times[2]; };
enum mode { MODE_OFF, MODE_ON = 5 };

const volatile int target_pid = 0;
const volatile bool verbose = 1;
const volatile struct event wanted = { .pid = 7, .kind = 2, .comm = "init", .times = { 1, 2 } };
const volatile char prefix[8] = "pre";
const volatile enum mode mode = MODE_ON;

u64 sink;
struct event last;
s64 counter = -5;
u32 table[4] = { 1, 2, 3, 4 };
static u64 hidden_total;
static volatile int hidden_start = 100;

u32 extra SEC(".data.extra") = 9;
const volatile u32 table_of_primes[4] SEC(".rodata.primes") = { 2, 3, 5, 7 };
u64 more SEC(".bss.more");

SEC("raw_tp/sched_switch")
int reads(void *ctx)
{
	u32 index = get_prandom_u32() & 3;

	if (verbose && target_pid)
		sink = wanted.times[1] + wanted.comm[3] + prefix[1] + mode;
	sink += table[index] + table_of_primes[index] + hidden_start + extra;
	return 0;
}

SEC("raw_tp/sched_wakeup")
int writes(void *ctx)
{
	static u64 calls;
	static const char format[] = "pid %d\n";

	calls++;
	hidden_total += calls;
	hidden_start++;
	counter--;
	last.pid = target_pid;
	last.times[1] = ktime_get_ns();
	more += hidden_total;
	extra = 4;
	trace_printk(format, sizeof(format), last.pid);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int strings(void *ctx)
{
	const char *text = get_prandom_u32() & 1 ? "one" : "another";

	trace_printk("hello %s\n", 10, text);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
