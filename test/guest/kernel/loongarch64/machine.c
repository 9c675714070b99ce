/* loongarch64: traps, the constant timer, the 16550 console and the ACPI power switch of QEMU's `virt`. */
#include "kernel.h"

#define UART ((volatile u8 *)0x1fe001e0)
#define UART_LSR 5
/* The sleep control register of the generic event device: type 5, enable. */
#define GED_SLEEP ((volatile u8 *)0x100e001c)
#define SLEEP_OFF 0x34
/* Ticks of the 100 MHz constant timer. */
#define TICK 100000
#define TIMER_PERIODIC 3
#define IRQ_TIMER (1 << 11)
#define PRMD_PPLV 3

enum { CODE_INTERRUPT = 0, CODE_SYSCALL = 0xb, CODE_BREAK = 0xc };

#define csr_write(number, value)                                                                                       \
	do {                                                                                                           \
		u64 old = (value);                                                                                     \
		asm volatile("csrwr %0, %1" : "+r"(old) : "i"(number) : "memory");                                     \
	} while (0)
#define csr_change(number, value, mask)                                                                                \
	do {                                                                                                           \
		u64 old = (value);                                                                                     \
		asm volatile("csrxchg %0, %1, %2" : "+r"(old) : "r"((u64)(mask)), "i"(number) : "memory");             \
	} while (0)

enum { CSR_CRMD = 0, CSR_ECFG = 4, CSR_TCFG = 0x41, CSR_TICLR = 0x44, CRMD_IE = 4 };

void do_bp(struct pt_regs *regs);
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
	csr_write(CSR_TICLR, 1);
}

void timer_start(void)
{
	csr_write(CSR_TCFG, TICK | TIMER_PERIODIC);
	csr_write(CSR_ECFG, IRQ_TIMER);
}

void interrupts_enable(void)
{
	csr_change(CSR_CRMD, CRMD_IE, CRMD_IE);
}

void interrupts_disable(void)
{
	csr_change(CSR_CRMD, 0, CRMD_IE);
}

void cpu_relax(void)
{
	asm volatile("" ::: "memory");
}

void cpu_idle(void)
{
	csr_write(CSR_ECFG, 0);
	for (;;)
		asm volatile("idle 0");
}

/* All start by themselves and wait for the announcement. */
void start_cpu(u32 cpu)
{
	(void)cpu;
}

void power_off(void)
{
	*GED_SLEEP = SLEEP_OFF;
	for (;;)
		;
}

noinline void handle_break(struct pt_regs *regs)
{
	count_break(regs, regs->csr_era, (regs->csr_prmd & PRMD_PPLV) != 0);
	regs->csr_era += 4;
}

noinline void do_trap(struct pt_regs *regs)
{
	u64 code = regs->csr_estat >> 16 & 0x3f;
	if (code == CODE_INTERRUPT && (regs->csr_estat & IRQ_TIMER)) {
		timer_next();
		timer_interrupt(regs);
	} else if (code == CODE_BREAK) {
		do_bp(regs);
	} else if (code == CODE_SYSCALL) {
		regs->csr_era += 4;
		regs->regs[4] = do_syscall(regs, regs->regs[11], regs->regs[4]);
	} else {
		die(regs, "unexpected exception", regs->csr_era);
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
	buffer[7] = ((u64)(s64)(s32)((a + b) >> 32) << 2) + 0x0120077712345000;
	sum += a == b ? 0 : 1;
	sum += a != b ? 0 : 2;
	sum += (s64)a < (s64)b ? 0 : 4;
	sum += (s64)a >= (s64)b ? 0 : 8;
	sum += a < b ? 0 : 16;
	sum += a >= b ? 0 : 32;
	sum += a == 0 ? 0 : 64;
	sum += a != 0 ? 0 : 128;
	sum += 200;
	sum ^= a ^ b;
	return sum + (a | b) - (a >> 9 & 0xffffffff) + (a & b);
}
