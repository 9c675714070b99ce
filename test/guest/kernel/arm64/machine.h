/* arm64: Linux's struct pt_regs (6.1) and the current task. */
#pragma once

struct pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate;
	u64 orig_x0;
	s32 syscallno;
	u32 unused2;
	u64 sdei_ttbr1, pmr_save;
	u64 stackframe[2];
	u64 lockdep_hardirqs, exit_rcu;
};

static inline struct task *current_task(void)
{
	struct task *task;
	asm("mrs %0, tpidr_el1" : "=r"(task));
	return task;
}
