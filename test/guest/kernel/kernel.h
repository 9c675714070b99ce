/* A small bare-metal kernel with work to probe: what its files share. */
#pragma once

typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long u64;
typedef long s64;

#define CPUS 2
#define STACK_SIZE 16384
/* Its symbol is the only copy of the function. */
#ifdef __clang__
#define noinline __attribute__((noinline))
#else
#define noinline __attribute__((noinline, noclone))
#endif
/* Keeps a call where it stands: what depends on `value` comes after, and no loop or jump replaces the call. */
#define keep_call(value) asm volatile("" : "+r"(value))
#define __user_text __attribute__((section(".user.text"))) noinline
#define __user_data __attribute__((section(".user.data")))


/*
 * Steers a run. It lies in memory that the image does not cover, all zeros at power-on: a debugger, or QEMU's
 * `-device loader,addr=...,data=...,data-len=8`, may write it before the kernel starts, or while it runs.
 */
struct control {
	/* Rounds of work that each CPU does; 0 stands for 100. */
	u64 rounds;
	/* While not 0: CPUs wait before their first round. */
	u64 hold_start;
	/* While not 0: CPU 0 waits after the counts are printed. */
	u64 hold_end;
	/* Not 0: CPUs stop after the round they are in. */
	u64 stop;
	/* Not 0: CPUs wait, interrupts on, before each round from this one on. */
	u64 limit;
};
extern volatile struct control control;

/* What the kernel did, told in full at the end; one block per CPU, so that no update is shared. */
#define COUNTS(X)                                                                                                      \
	X(rounds)                                                                                                      \
	X(do_round)                                                                                                    \
	X(fib)                                                                                                         \
	X(sum_words)                                                                                                   \
	X(sum_words_loops)                                                                                             \
	X(hash_name)                                                                                                   \
	X(device_read)                                                                                                 \
	X(tail_enter)                                                                                                  \
	X(tail_target)                                                                                                 \
	X(throw_deep)                                                                                                  \
	X(caught)                                                                                                      \
	X(insn_mix)                                                                                                    \
	X(insn_mix_wrong)                                                                                              \
	X(atomic_increment)                                                                                            \
	X(syscalls)                                                                                                    \
	X(timer_ticks)                                                                                                 \
	X(own_breaks)                                                                                                  \
	X(user_breaks)                                                                                                 \
	X(unknown_breaks)                                                                                              \
	X(user_steps)

struct pt_regs;

struct counts {
#define X(name) u64 name;
	COUNTS(X)
#undef X
};
extern volatile struct counts counts[CPUS];

/* Its first fields lie where the entry code expects them (and where Linux has them on riscv64). */
struct task {
	u64 flags;
	s32 preempt_count;
	u64 kernel_sp;
	u64 user_sp;
	s32 cpu;
	u32 pid;
	char comm[16];
	volatile u64 done;
};
extern struct task tasks[CPUS];

#include "machine.h"
#define counted(name) (counts[current_task()->cpu].name++)

/* A device whose reads are worth looking at: named, with a position and a count. */
struct device {
	const char *name;
	u64 position;
	u32 reads;
	u8 data[64];
};

enum { SYS_ROUND = 1, SYS_EXIT = 2 };

/* kernel.c */
void kernel_main(struct task *task);
s64 do_syscall(struct pt_regs *regs, u64 number, u64 argument);
void timer_interrupt(struct pt_regs *regs);
/* Counts the breakpoint at `pc` by whose it is; the caller skips it. */
void count_break(struct pt_regs *regs, u64 pc, int user);
void die(struct pt_regs *regs, const char *why, u64 pc) __attribute__((noreturn));

/* work.c */
void do_round(struct task *task, u64 round);

/* user.c */
void user_main(u64 cpu);
extern volatile u64 user_steps[CPUS];

/* The architecture: machine.c and entry.S of its folder; current_task() and struct pt_regs are in its machine.h. */
void console_putc(char c);
void timer_start(void);
void timer_next(void);
void interrupts_enable(void);
void interrupts_disable(void);
void cpu_relax(void);
void cpu_idle(void) __attribute__((noreturn));
void start_cpu(u32 cpu);
void power_off(void) __attribute__((noreturn));
/* Runs user_main(cpu) in user mode on `stack`; comes back only as traps. */
void enter_user(struct task *task, void (*entry)(u64), u64 stack) __attribute__((noreturn));
/* A breakpoint of the kernel's own, which own_break_at labels. */
void own_break(void);
extern const char own_break_at[];
/* One of each common kind of instruction; what it leaves in `buffer` is a function of a and b alone. */
u64 insn_mix(u64 *buffer, u64 a, u64 b);
/* The same in C. */
u64 insn_mix_expected(u64 *buffer, u64 a, u64 b);
/* With the architecture's exclusive pair. */
void atomic_increment(u64 *word);
/* Returns 0 when called, and again with `value` when thrown to. */
u64 catch_here(u64 *jump_buffer);
void throw_to(u64 *jump_buffer, u64 value) __attribute__((noreturn));
