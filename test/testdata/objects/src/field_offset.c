/* field_byte_offset in loads, stores and additions: plain, nested, array, anonymous, flavour, absent. */
#include "bpf.h"
#include "kernel.h"

u64 sink;

/* A flavour that names a member as other kernels do, and one that has nothing in common with any. */
struct task_struct___old { long state; } KERNEL;
struct task_struct___new { unsigned int __state; } KERNEL;
struct no_such_struct { int field; } KERNEL;

SEC("raw_tp/sched_switch")
int plain_loads(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();

	sink = task->pid;
	sink += task->tgid + task->prio;
	sink += task->se.vruntime + task->se.load.weight;
	sink += task->sched_info.pcount;
	return task->exit_code;
}

SEC("raw_tp/sched_wakeup")
int addresses(void *ctx)
{
	struct task_struct *task = (void *)get_current_task(), *parent = 0;
	u64 start = 0;
	char comm[16];

	READ(start, task->start_time);
	READ(parent, task->real_parent);
	READ(comm, task->comm);
	sink = start + comm[0];
	READ(start, parent->group_leader->start_time);
	sink += FIELD_BYTE_OFFSET(task->se.load.weight);
	sink += FIELD_BYTE_OFFSET(((struct mm_struct *)0)->brk);
	return 0;
}

SEC("kprobe/vfs_read")
int array_elements(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();
	struct task_struct *next = task + 1;

	sink = task->comm[0] + task->comm[3] + task->comm[15];
	sink += task[2].pid + next->tgid;
	sink += task->mm->saved_auxv[1];
	sink += FIELD_BYTE_OFFSET(task->comm[7]);
	return 0;
}

SEC("kprobe/vfs_open")
int anonymous_members(void *ctx)
{
	struct dentry *dentry = *(struct dentry **)ctx;
	struct inode *inode = dentry->d_inode;

	sink = dentry->d_name.len + dentry->d_name.hash;
	sink += dentry->d_name.hash_len;
	sink += inode->i_nlink;
	sink += (unsigned long)dentry->d_name.name;
	return 0;
}

SEC("tracepoint/sched/sched_switch")
int flavours(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();

	if (FIELD_EXISTS(((struct task_struct___new *)0)->__state))
		sink = ((struct task_struct___new *)task)->__state;
	else
		sink = ((struct task_struct___old *)task)->state;
	return 0;
}

SEC("tp/sched/sched_wakeup")
int absent(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();
	struct no_such_struct *none = (void *)task;

	if (FIELD_EXISTS(task->utime_nowhere))
		sink = task->utime_nowhere + FIELD_BYTE_OFFSET(task->utime_nowhere);
	if (FIELD_EXISTS(none->field))
		sink += none->field;
	return 0;
}

SEC("raw_tp.w/nbd_send_request")
int stores(void *ctx)
{
	struct file *file = *(struct file **)ctx;

	file->f_flags = 7;
	file->f_pos = (s64)sink;
	file->f_inode->i_mode = (u16)sink;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
