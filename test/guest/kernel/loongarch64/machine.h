/* loongarch64: Linux's struct pt_regs and the current task. */
#pragma once

struct pt_regs {
	u64 regs[32];
	u64 orig_a0;
	u64 csr_era, csr_badvaddr, csr_crmd, csr_prmd, csr_euen, csr_ecfg, csr_estat;
};

static inline struct task *current_task(void)
{
	struct task *task;
	asm("move %0, $tp" : "=r"(task));
	return task;
}
