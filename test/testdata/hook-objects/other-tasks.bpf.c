/* At each opening of a file: what the other tasks are about, their kernel stacks and a few bytes of their code. */
#include <linux/bpf.h>
#include <stdbool.h>
#define __VMLINUX_H__
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define KSYM __attribute__((section(".ksyms")))

struct bpf_iter_task {
	__u64 opaque[3];
} __attribute__((aligned(8)));
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
	int pid;
};
struct pt_regs {
	unsigned long ip;
};
#pragma clang attribute pop

extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task, unsigned int flags) KSYM;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) KSYM;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) KSYM;
extern void bpf_rcu_read_lock(void) KSYM;
extern void bpf_rcu_read_unlock(void) KSYM;

char _license[] SEC("license") = "GPL";

struct other_task {
	__u64 pid;
	__s64 frames;
	__s64 user_frames;
	__s64 skipped;
	__s64 wrong;
	__s64 copied;
	__s64 nowhere;
	__u64 code;
	__u64 stack[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

const struct other_task *unused_task __attribute__((unused));

SEC("fentry.s/security_file_open")
int BPF_PROG(look_around)
{
	struct task_struct *self = bpf_get_current_task_btf(), *task;
	struct bpf_iter_task it;
	struct pt_regs *regs;
	struct other_task *other;
	__u64 ip;

	bpf_rcu_read_lock();
	bpf_iter_task_new(&it, 0, 1);
	while ((task = bpf_iter_task_next(&it))) {
		if (task == self)
			continue;
		other = bpf_ringbuf_reserve(&events, sizeof(*other), 0);
		if (!other)
			break;
		other->pid = task->pid;
		other->frames = bpf_get_task_stack(task, other->stack, sizeof(other->stack), 0);
		other->user_frames = bpf_get_task_stack(task, &other->code, 8, BPF_F_USER_STACK);
		other->skipped = bpf_get_task_stack(task, &other->code, 8, 1);
		other->wrong = bpf_get_task_stack(task, &other->code, 8, 1ull << 20);
		regs = (struct pt_regs *)bpf_task_pt_regs(task);
		ip = regs->ip;
		other->copied = bpf_copy_from_user_task(&other->code, 8, (void *)(ip - 2), task, 0);
		other->nowhere = bpf_copy_from_user_task(&ip, 8, (void *)16, task, 0);
		bpf_ringbuf_submit(other, 0);
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	return 0;
}
