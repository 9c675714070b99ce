/*
 * Kernel types as a program sees them: few members, in an order of their own, so that every offset changes
 * when the object is linked for a real kernel.
 */
#pragma once

struct list_head { struct list_head *next, *prev; } KERNEL;

struct load_weight { u32 inv_weight; unsigned long weight; } KERNEL;

struct sched_entity { u64 vruntime; struct load_weight load; u64 sum_exec_runtime; } KERNEL;

struct sched_info { u64 last_arrival; unsigned long pcount; } KERNEL;

struct task_struct {
	int pid;
	int tgid;
	char comm[16];
	u64 start_time;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	unsigned int flags;
	int prio;
	struct sched_entity se;
	struct sched_info sched_info;
	struct mm_struct *mm;
	unsigned int sched_reset_on_fork : 1;
	unsigned int in_execve : 1;
	unsigned int in_iowait : 1;
	unsigned int jobctl_missing_here : 3;
	int exit_code;
	u64 utime_nowhere;
} KERNEL;

struct mm_struct {
	unsigned long start_code;
	unsigned long brk, start_brk;
	struct file *exe_file;
	unsigned long saved_auxv[2];
} KERNEL;

struct qstr {
	union {
		struct { u32 hash; u32 len; };
		u64 hash_len;
	};
	const unsigned char *name;
} KERNEL;

struct dentry { struct dentry *d_parent; struct qstr d_name; struct inode *d_inode; } KERNEL;

struct path { struct dentry *dentry; struct vfsmount *mnt; } KERNEL;

struct file { unsigned int f_flags; struct path f_path; struct inode *f_inode; s64 f_pos; } KERNEL;

struct inode {
	unsigned long i_ino;
	union { const unsigned int i_nlink; unsigned int __i_nlink; };
	u16 i_mode;
	s64 i_size;
} KERNEL;
