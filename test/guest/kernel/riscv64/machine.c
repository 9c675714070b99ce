/* riscv64: traps, the timer (Sstc), the 16550 console and the test finisher of QEMU's `virt`. */
#include "kernel.h"

#define UART ((volatile u8 *)0x10000000)
#define UART_LSR 5
#define FINISHER ((volatile u32 *)0x100000)
/* Ticks of the 10 MHz time base. */
#define TICK 10000
#define SR_SIE 2
#define SR_SPP 0x100
#define IRQ (1ul << 63)

enum { CAUSE_ILLEGAL = 2, CAUSE_BREAKPOINT = 3, CAUSE_USER_CALL = 8, IRQ_TIMER = 5 };

void do_trap_break(struct pt_regs *regs);
void handle_break(struct pt_regs *regs);
void do_trap(struct pt_regs *regs);

void console_putc(char c)
{
	while (!(UART[UART_LSR] & 0x20))
		;
	UART[0] = c;
}

void timer_next(void)
{
	u64 now;
	asm volatile("rdtime %0" : "=r"(now));
	asm volatile("csrw 0x14d, %0" ::"r"(now + TICK));
}

void timer_start(void)
{
	timer_next();
	asm volatile("csrs sie, %0" ::"r"(1 << IRQ_TIMER));
}

void interrupts_enable(void)
{
	asm volatile("csrs sstatus, %0" ::"r"(SR_SIE) : "memory");
}

void interrupts_disable(void)
{
	asm volatile("csrc sstatus, %0" ::"r"(SR_SIE) : "memory");
}

void cpu_relax(void)
{
	asm volatile(".word 0x0100000f" ::: "memory");
}

void cpu_idle(void)
{
	asm volatile("csrw sie, zero");
	for (;;)
		asm volatile("wfi");
}

/* Both start by themselves and wait for the announcement. */
void start_cpu(u32 cpu)
{
	(void)cpu;
}

void power_off(void)
{
	*FINISHER = 0x5555;
	for (;;)
		;
}

noinline void handle_break(struct pt_regs *regs)
{
	count_break(regs, regs->epc, !(regs->status & SR_SPP));
	regs->epc += (*(const volatile u8 *)regs->epc & 3) == 3 ? 4 : 2;
}

noinline void do_trap(struct pt_regs *regs)
{
	if (regs->cause == (IRQ | IRQ_TIMER)) {
		timer_next();
		timer_interrupt(regs);
	} else if (regs->cause == CAUSE_BREAKPOINT) {
		do_trap_break(regs);
	} else if (regs->cause == CAUSE_USER_CALL) {
		regs->epc += 4;
		regs->a0 = do_syscall(regs, regs->a7, regs->a0);
	} else {
		die(regs, regs->cause == CAUSE_ILLEGAL ? "illegal instruction" : "unexpected trap", regs->epc);
	}
}

u64 insn_mix_expected(u64 *buffer, u64 a, u64 b)
{
	u64 sum = 0;
	buffer[0] = a + b;
	buffer[1] = a - b;
	buffer[2] = a ^ b;
	buffer[3] = (s64)(s32)(a + b);
	buffer[4] = (s64)a >> 7;
	buffer[5] = a < b;
	buffer[6] = (unsigned __int128)a * b >> 64;
	buffer[7] = (s64)(s32)((a + b) >> 32) + 0x12345000 + 0x7000;
	sum += a == b ? 0 : 1;
	sum += a != b ? 0 : 2;
	sum += (s64)a < (s64)b ? 0 : 4;
	sum += (s64)a >= (s64)b ? 0 : 8;
	sum += a < b ? 0 : 16;
	sum += a >= b ? 0 : -32;
	sum += 1 + 300;
	sum ^= a ^ b;
	return sum + (a | b) - 0x7000 + (a & b);
}
