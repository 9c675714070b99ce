/* What a program expects of the kernel: weak symbols, functions and configuration, there and absent. */
#include "bpf.h"

struct rq;
struct task_struct;
struct bpf_cpumask;

extern const int bpf_prog_active KSYM WEAK;
extern const int no_such_variable KSYM WEAK;
extern const void no_such_address KSYM WEAK;
extern void bpf_rcu_read_lock(void) KSYM WEAK;
extern void bpf_rcu_read_unlock(void) KSYM WEAK;
extern int no_such_function(int value) KSYM WEAK;
extern int another_missing_function(void) KSYM WEAK;
extern void bpf_task_release(struct task_struct *task) KSYM WEAK;
extern void bpf_task_release___flavour(struct task_struct *task) KSYM WEAK;
extern int LINUX_KERNEL_VERSION KCONFIG;
extern bool LINUX_HAS_BPF_COOKIE KCONFIG WEAK;
extern u64 LINUX_HAS_SOMETHING_ELSE KCONFIG WEAK;

u64 sink;

SEC("raw_tp/sched_switch")
int symbols(void *ctx)
{
	sink = (u64)&no_such_variable + (u64)&no_such_address;
	if (&bpf_prog_active)
		sink += bpf_prog_active;
	return 0;
}

SEC("raw_tp/sched_wakeup")
int functions(void *ctx)
{
	bpf_rcu_read_lock();
	if (no_such_function)
		sink = no_such_function(3);
	if (another_missing_function)
		sink += another_missing_function();
	if (bpf_task_release___flavour)
		bpf_task_release___flavour((void *)0);
	bpf_task_release((void *)0);
	bpf_rcu_read_unlock();
	return 0;
}

SEC("raw_tp/sched_process_exec")
int configuration(void *ctx)
{
	sink = LINUX_KERNEL_VERSION;
	if (LINUX_HAS_BPF_COOKIE)
		sink += LINUX_HAS_SOMETHING_ELSE;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
