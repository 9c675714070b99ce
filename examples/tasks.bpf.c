// SPDX-License-Identifier: MIT
/* tasks: all threads of the machine, and the files that are open in them, as iterators write them. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

SEC("iter/task")
int ps(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (!ctx->meta->seq_num)
		BPF_SEQ_PRINTF(seq, "   PID    TID   PPID STATE COMM\n");
	/* Once more at the end, without a task. */
	if (task)
		BPF_SEQ_PRINTF(seq, "%6d %6d %6d %5x %s\n", task->tgid, task->pid, task->real_parent->tgid, task->__state,
			       task->comm);
	return 0;
}

SEC("iter/task_file")
int lsof(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!ctx->meta->seq_num)
		BPF_SEQ_PRINTF(seq, "   PID  FD COMM             FILE\n");
	if (task && file)
		BPF_SEQ_PRINTF(seq, "%6d %3d %-16s %s\n", task->tgid, ctx->fd, task->comm, file->f_path.dentry->d_name.name);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
