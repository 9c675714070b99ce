/* field_exists of every sort of member. */
#include "bpf.h"
#include "kernel.h"

u64 sink;

struct task_struct___old { long state; struct { int no_such_inner; }; } KERNEL;
struct task_struct___typed { struct list_head *pid; char *comm; u32 prio[4]; } KERNEL;
struct no_such_struct { int field; } KERNEL;
union no_such_union { int field; } KERNEL;

SEC("raw_tp/sched_switch")
int exists(void *ctx)
{
	struct task_struct *task = 0;

	sink = FIELD_EXISTS(task->pid) + 2 * FIELD_EXISTS(task->utime_nowhere) + 4 * FIELD_EXISTS(task->se.load.weight);
	sink += 8 * FIELD_EXISTS(task->comm[3]) + 16 * FIELD_EXISTS(task->comm[16 - 1]);
	sink += 32 * FIELD_EXISTS(((struct dentry *)0)->d_name.len) + 64 * FIELD_EXISTS(task->in_iowait);
	sink += 128 * FIELD_EXISTS(((struct task_struct___old *)0)->state);
	sink += 256 * FIELD_EXISTS(((struct task_struct___old *)0)->no_such_inner);
	sink += 512 * FIELD_EXISTS(((struct no_such_struct *)0)->field);
	sink += 1024 * FIELD_EXISTS(((union no_such_union *)0)->field);
	return 0;
}

/* Members that exist under the name but with another type. */
SEC("raw_tp/sched_wakeup")
int other_types(void *ctx)
{
	struct task_struct___typed *task = 0;

	sink = FIELD_EXISTS(task->pid) + 2 * FIELD_EXISTS(task->comm) + 4 * FIELD_EXISTS(task->prio);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
