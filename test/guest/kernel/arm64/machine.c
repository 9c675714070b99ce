/* arm64: traps, the virtual timer behind a GICv2, the PL011 console and PSCI of QEMU's `virt`. */
#include "kernel.h"

#define UART ((volatile u32 *)0x09000000)
#define UART_FR 6
#define UART_FR_TXFF 0x20
#define GICD(offset) ((volatile u32 *)(0x08000000ul + (offset)))
#define GICC(offset) ((volatile u32 *)(0x08010000ul + (offset)))
#define TIMER_IRQ 27
#define PSCI_CPU_ON 0xc4000003
#define PSCI_SYSTEM_OFF 0x84000008

enum { EC_SVC64 = 0x15, EC_BRK64 = 0x3c };

u64 psci_call(u64 function, u64 a, u64 b, u64 c);
void secondary_start(void);
void brk_handler(u64 far, u64 esr, struct pt_regs *regs);
void handle_break(u64 far, u64 esr, struct pt_regs *regs);
void do_sync(struct pt_regs *regs, u64 el);
void do_irq(struct pt_regs *regs, u64 el);
void do_bad(struct pt_regs *regs, u64 el);

void console_putc(char c)
{
	while (UART[UART_FR] & UART_FR_TXFF)
		;
	UART[0] = c;
}

/* A tick is a thousandth of a second. */
void timer_next(void)
{
	u64 frequency;
	asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
	asm volatile("msr cntv_tval_el0, %0" ::"r"(frequency / 1000));
}

void timer_start(void)
{
	*GICD(0) = 1;
	*GICD(0x100) = 1u << TIMER_IRQ;
	*GICC(4) = 0xff;
	*GICC(0) = 1;
	timer_next();
	asm volatile("msr cntv_ctl_el0, %0" ::"r"(1ul));
}

void interrupts_enable(void)
{
	asm volatile("msr daifclr, #2" ::: "memory");
}

void interrupts_disable(void)
{
	asm volatile("msr daifset, #2" ::: "memory");
}

void cpu_relax(void)
{
	asm volatile("yield" ::: "memory");
}

void cpu_idle(void)
{
	asm volatile("msr cntv_ctl_el0, xzr");
	for (;;)
		asm volatile("wfi");
}

void start_cpu(u32 cpu)
{
	psci_call(PSCI_CPU_ON, cpu, (u64)secondary_start, cpu);
}

void power_off(void)
{
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		;
}

noinline void handle_break(u64 far, u64 esr, struct pt_regs *regs)
{
	(void)far;
	(void)esr;
	count_break(regs, regs->pc, !(regs->pstate & 0xc));
	regs->pc += 4;
}

noinline void do_sync(struct pt_regs *regs, u64 el)
{
	u64 esr, far;
	asm volatile("mrs %0, esr_el1" : "=r"(esr));
	asm volatile("mrs %0, far_el1" : "=r"(far));
	u64 class = esr >> 26 & 0x3f;
	if (class == EC_BRK64) {
		brk_handler(far, esr, regs);
	} else if (class == EC_SVC64 && el == 0) {
		regs->syscallno = regs->regs[8];
		regs->regs[0] = do_syscall(regs, regs->regs[8], regs->regs[0]);
	} else {
		die(regs, "unexpected exception", regs->pc);
	}
}

noinline void do_irq(struct pt_regs *regs, u64 el)
{
	(void)el;
	u32 irq = *GICC(0xc);
	if ((irq & 0x3ff) == TIMER_IRQ) {
		timer_next();
		timer_interrupt(regs);
	}
	if ((irq & 0x3ff) < 1020)
		*GICC(0x10) = irq;
}

noinline void do_bad(struct pt_regs *regs, u64 el)
{
	(void)el;
	die(regs, "FIQ or SError", regs->pc);
}

u64 insn_mix_expected(u64 *buffer, u64 a, u64 b)
{
	const u64 word = 0x0123456789abcdef;
	u64 sum = 0;
	buffer[0] = a + b;
	buffer[1] = a - b;
	buffer[2] = a ^ b;
	buffer[3] = (u32)(a + b);
	buffer[4] = (s64)a >> 7;
	buffer[5] = a > b ? a : b;
	buffer[6] = (unsigned __int128)a * b >> 64;
	buffer[7] = word + (s64)(s32)word;
	sum += a == b ? 0 : 1;
	sum += (s64)a < (s64)b ? 0 : 2;
	sum += (s64)a >= (s64)b ? 0 : 4;
	sum += a < b ? 0 : 8;
	sum += a >= b ? 0 : 16;
	sum += a == 0 ? 0 : 32;
	sum += (u32)b != 0 ? 0 : 64;
	sum += a & 1 ? 128 : 0;
	sum += b >> 63 ? 0 : 256;
	sum += 200;
	sum ^= a ^ b;
	return sum + (a | b) - 0x12345678 + (a & b) + ~0x10ul;
}
