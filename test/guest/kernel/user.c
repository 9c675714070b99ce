/* The user-mode task of each CPU. Nothing here may call into the kernel but by a system call. */
#include "kernel.h"

__user_data volatile u64 user_steps[CPUS];

u64 user_syscall(u64 number, u64 argument);
void user_break(void);

__user_text u64 user_step(u64 cpu, u64 value)
{
	user_steps[cpu]++;
	return value * 3 + 1;
}

__user_text void user_main(u64 cpu)
{
	u64 value = cpu;
	for (u64 round = 0; user_syscall(SYS_ROUND, round); round++) {
		for (u64 i = 0; i < 10; i++)
			value = user_step(cpu, value);
		if (round % 8 == 0)
			user_break();
	}
	user_syscall(SYS_EXIT, value);
	for (;;)
		;
}
