/* The architecture's part of switching tasks and of starting user programs. */
#include "mm.h"

void load_sp0(int cpu, u64 top);
void ret_from_fork(void);

struct task_struct *__switch_to(struct task_struct *prev, struct task_struct *next)
{
	int cpu = smp_processor_id();
	load_sp0(cpu, (u64)next->stack + THREAD_SIZE);
	pcpu_area[cpu].current_task = next;
	return prev;
}

/* What __switch_to_asm pops, below the new task's registers. */
struct inactive_task_frame {
	unsigned long r15, r14, r13, r12, bx, bp, ret_addr;
};

void copy_thread(struct task_struct *p, const struct kernel_clone_args *args)
{
	struct pt_regs *regs = task_pt_regs(p);
	struct inactive_task_frame *frame = (struct inactive_task_frame *)regs - 1;
	memset(frame, 0, sizeof(*frame));
	frame->ret_addr = (u64)ret_from_fork;
	p->thread.sp = (u64)frame;
	if (args->fn) {
		memset(regs, 0, sizeof(*regs));
		regs->orig_ax = (unsigned long)-1;
		frame->bx = (u64)args->fn;
		frame->r12 = (u64)args->fn_arg;
		return;
	}
	*regs = *args->regs;
	regs->ax = 0;
	if (args->stack)
		regs->sp = args->stack;
}

void start_thread(struct pt_regs *regs, u64 ip, u64 sp)
{
	unsigned long nr = regs->orig_ax;
	memset(regs, 0, sizeof(*regs));
	regs->orig_ax = nr;
	regs->ip = ip;
	regs->sp = sp;
	regs->cs = USER_CS;
	regs->ss = USER_DS;
	regs->flags = X86_EFLAGS_IF;
}
