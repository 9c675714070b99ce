/* riscv64: Linux's struct pt_regs and the current task. */
#pragma once

struct pt_regs {
	u64 epc, ra, sp, gp, tp, t0, t1, t2, s0, s1;
	u64 a0, a1, a2, a3, a4, a5, a6, a7;
	u64 s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
	u64 t3, t4, t5, t6;
	u64 status, badaddr, cause, orig_a0;
};

static inline struct task *current_task(void)
{
	struct task *task;
	asm("mv %0, tp" : "=r"(task));
	return task;
}
