/* Interrupts and softirqs. */
#pragma once
#include "cpu.h"

enum { TIMER_SOFTIRQ = 1, NET_TX_SOFTIRQ = 2, NET_RX_SOFTIRQ = 3, NR_SOFTIRQS = 4 };
enum irqreturn { IRQ_NONE = 0, IRQ_HANDLED = 1 };

struct irqaction {
	unsigned int irq;
	const char *name;
	void *dev_id;
	enum irqreturn (*handler)(int irq, void *dev_id);
};

void irq_enter(void);
void irq_exit(void);
int request_irq(unsigned int irq, enum irqreturn (*handler)(int, void *), const char *name, void *dev);
void raise_softirq(unsigned int nr);
void local_bh_enable(void);
void __do_softirq(void);
void cpu_init(int cpu);
void smp_send_reschedule(int cpu);
void __noreturn die(const char *reason, struct pt_regs *regs);
void __noreturn panic(const char *reason);
void irqentry_exit(struct pt_regs *regs);
