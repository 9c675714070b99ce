/* Start, system calls, interrupts, breakpoints and the report at the end. */
#include "kernel.h"

#define DEFAULT_ROUNDS 100

volatile struct counts counts[CPUS];
struct task tasks[CPUS];
__attribute__((section(".control"))) volatile struct control control;
u8 kernel_stacks[CPUS][STACK_SIZE] __attribute__((aligned(16)));
__attribute__((section(".user.data"), aligned(16))) u8 user_stacks[CPUS][STACK_SIZE];
static volatile u64 announced;
u64 shared_total;

static void print(const char *text)
{
	while (*text)
		console_putc(*text++);
}

static void print_decimal(u64 value)
{
	char digits[20];
	int n = 0;
	do
		digits[n++] = '0' + value % 10;
	while ((value /= 10) != 0);
	while (n > 0)
		console_putc(digits[--n]);
}

static void print_hex(u64 value)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		console_putc("0123456789abcdef"[value >> shift & 15]);
}

static void print_count(const char *name, u64 value)
{
	print("KSCOPE-COUNTS ");
	print(name);
	console_putc(' ');
	print_decimal(value);
	console_putc('\n');
}

static void print_counts(void)
{
#define X(name)                                                                                                        \
	{                                                                                                              \
		u64 total = 0;                                                                                         \
		for (int cpu = 0; cpu < CPUS; cpu++)                                                                   \
			total += counts[cpu].name;                                                                     \
		print_count(#name, total);                                                                             \
	}
	COUNTS(X)
#undef X
	print_count("shared_total", shared_total);
}

static u64 wanted_rounds(void)
{
	return control.rounds ? control.rounds : DEFAULT_ROUNDS;
}

static void finish(struct task *task)
{
	interrupts_disable();
	counts[task->cpu].user_steps = user_steps[task->cpu];
	task->done = 1;
	if (task->cpu != 0)
		cpu_idle();
	for (int cpu = 0; cpu < CPUS; cpu++)
		while (!tasks[cpu].done)
			cpu_relax();
	print_counts();
	print("KSCOPE-DONE\n");
	while (control.hold_end)
		cpu_relax();
	power_off();
}

/* True while there are rounds left. */
static s64 sys_round(struct task *task)
{
	u64 round = counts[task->cpu].rounds;
	while (control.limit && round >= control.limit && !control.stop)
		cpu_relax();
	if (round == wanted_rounds() || control.stop)
		return 0;
	counted(rounds);
	do_round(task, round);
	return 1;
}

noinline s64 do_syscall(struct pt_regs *regs, u64 number, u64 argument)
{
	struct task *task = current_task();
	(void)regs;
	(void)argument;
	counted(syscalls);
	if (number == SYS_ROUND) {
		interrupts_enable();
		s64 more = sys_round(task);
		interrupts_disable();
		return more;
	}
	if (number == SYS_EXIT)
		finish(task);
	return -38;
}

noinline void timer_interrupt(struct pt_regs *regs)
{
	(void)regs;
	counted(timer_ticks);
}

/* Whose breakpoint it is: the kernel's own, the user task's, or of somebody who should have taken it away. */
noinline void count_break(struct pt_regs *regs, u64 pc, int user)
{
	(void)regs;
	if (user)
		counted(user_breaks);
	else if (pc == (u64)own_break_at)
		counted(own_breaks);
	else
		counted(unknown_breaks);
}

noinline void die(struct pt_regs *regs, const char *why, u64 pc)
{
	print("KSCOPE-OOPS ");
	print(why);
	print(" pc ");
	print_hex(pc);
	print(" regs ");
	print_hex((u64)regs);
	console_putc('\n');
	power_off();
}

static void set_comm(struct task *task)
{
	static const char comm[] = "worker/";
	for (u64 i = 0; i < sizeof comm; i++)
		task->comm[i] = comm[i];
	task->comm[sizeof comm - 1] = '0' + task->cpu;
}

/* Each CPU comes here once, on its kernel stack, its task being current. */
void kernel_main(struct task *task)
{
	task->pid = 100 + task->cpu;
	set_comm(task);
	if (task->cpu == 0) {
		print("KSCOPE-BOOT\n");
		announced = 1;
		for (u32 cpu = 1; cpu < CPUS; cpu++)
			start_cpu(cpu);
	}
	while (!announced || control.hold_start)
		cpu_relax();
	timer_start();
	enter_user(task, user_main, (u64)user_stacks[task->cpu + 1]);
}
