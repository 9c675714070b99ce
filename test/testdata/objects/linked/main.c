/* The program of two objects that are linked: what it uses is in library.c. */
#include "../src/bpf.h"

struct KERNEL task_struct { int pid; };

extern u64 total;
extern const volatile int step;
extern int scale(int value);
extern struct {
	NUMBER(type, HASH);
	NUMBER(max_entries, 16);
	TYPE(key, u32);
	TYPE(value, u64);
} counts SEC(".maps");
extern void bpf_rcu_read_lock(void) KSYM WEAK;
extern int LINUX_KERNEL_VERSION KCONFIG;

static volatile int calls = 3;
int version_seen;
const volatile char greeting[] = "hello";

/* The library has a strong one. */
WEAK NOINLINE int chosen(void)
{
	return 1;
}

static NOINLINE int twice(int value)
{
	return 2 * value + calls;
}

SEC("perf_event")
int program(void *ctx)
{
	u32 key = 7;
	u64 value = scale(twice(step)) + greeting[1];

	if (bpf_rcu_read_lock)
		bpf_rcu_read_lock();
	total += value;
	version_seen = LINUX_KERNEL_VERSION;
	map_update_elem(&counts, &key, &value, 0);
	return chosen();
}

SEC("perf_event")
int relocated(struct task_struct *task)
{
	int pid = 0;

	READ(pid, task->pid);
	return pid;
}

char LICENSE[] SEC("license") = "GPL";
