/* field_byte_size, and loads and stores whose width has to follow the field's. */
#include "bpf.h"
#include "kernel.h"

u64 sink;

struct mm_struct___narrow { u32 start_code; u16 brk; } KERNEL;
struct inode___wide { u64 i_mode; u64 i_ino; } KERNEL;
struct inode___signed { s32 i_size; s16 i_mode; } KERNEL;
struct file___pointers { u64 *f_inode; } KERNEL;
struct no_such_struct { int field; } KERNEL;

SEC("raw_tp/sched_switch")
int sizes(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();

	sink = FIELD_BYTE_SIZE(task->pid) + FIELD_BYTE_SIZE(task->comm) + FIELD_BYTE_SIZE(task->se);
	sink += FIELD_BYTE_SIZE(task->comm[3]) + FIELD_BYTE_SIZE(task[1].start_time);
	sink += FIELD_BYTE_SIZE(((struct inode *)0)->i_nlink);
	sink += FIELD_BYTE_SIZE(((struct dentry *)0)->d_name.len);
	sink += FIELD_BYTE_SIZE(((struct mm_struct___narrow *)0)->brk);
	sink += FIELD_BYTE_SIZE(task->in_iowait);
	return 0;
}

SEC("raw_tp/sched_wakeup")
int absent_sizes(void *ctx)
{
	struct task_struct *task = (void *)get_current_task();

	if (FIELD_EXISTS(task->utime_nowhere))
		sink = FIELD_BYTE_SIZE(task->utime_nowhere);
	return FIELD_EXISTS(((struct no_such_struct *)0)->field) ? FIELD_BYTE_SIZE(((struct no_such_struct *)0)->field) : 0;
}

SEC("kprobe/vfs_read")
int wider_here(void *ctx)
{
	struct inode___wide *inode = *(struct inode___wide **)ctx;

	sink = inode->i_mode + inode->i_ino;
	inode->i_mode = sink;
	return 0;
}

SEC("kprobe/vfs_write")
int narrower_here(void *ctx)
{
	struct mm_struct___narrow *mm = *(struct mm_struct___narrow **)ctx;

	sink = mm->start_code;
	sink += mm->brk;
	mm->brk = 5;
	return 0;
}

/* Signed ones cannot change their width: libbpf poisons the load. */
SEC("kprobe/vfs_open")
int signed_here(void *ctx)
{
	struct inode___signed *inode = *(struct inode___signed **)ctx;

	sink = inode->i_size;
	sink += inode->i_mode;
	return 0;
}

SEC("kretprobe/vfs_open")
int pointer_fields(void *ctx)
{
	struct file___pointers *file = *(struct file___pointers **)ctx;

	sink = (u64)file->f_inode;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
