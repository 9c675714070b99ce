/* Interrupts: entry and exit bookkeeping, the device interrupt, the timer, the IPI, the sampler. */
#include "irq.h"
#include "journal.h"
#include "sched.h"
#include "uapi.h"

#define HARDIRQ_OFFSET 0x10000
#define NR_IRQS 32
#define FIRST_EXTERNAL_VECTOR 0x18

static struct irqaction irq_actions[NR_IRQS];
struct pt_regs *irq_regs[NR_CPUS];

/* Work that must be done before user code goes on: reschedule, die of a signal. Interrupts are off here and after. */
void exit_to_user_mode_prepare(struct pt_regs *regs)
{
	while (current->need_resched || signal_pending(current)) {
		local_irq_enable();
		if (signal_pending(current))
			arch_do_signal_or_restart(regs);
		if (current->need_resched)
			schedule();
		local_irq_disable();
	}
}

void irqentry_exit(struct pt_regs *regs)
{
	if (user_mode(regs))
		exit_to_user_mode_prepare(regs);
	else if ((regs->flags & X86_EFLAGS_IF) && !preempt_count() && current->need_resched)
		preempt_schedule_irq();
}

void irq_enter(void) { this_cpu()->preempt_count += HARDIRQ_OFFSET; }

void irq_exit(void)
{
	struct pcpu *cpu = this_cpu();
	cpu->preempt_count -= HARDIRQ_OFFSET;
	if (!(cpu->preempt_count & ~0xff) && cpu->softirq_pending)
		__do_softirq();
}

int request_irq(unsigned int irq, enum irqreturn (*handler)(int, void *), const char *name, void *dev)
{
	struct irqaction *action;
	if (irq >= NR_IRQS || irq_actions[irq].handler)
		return -EINVAL;
	action = &irq_actions[irq];
	action->irq = irq;
	action->name = name;
	action->dev_id = dev;
	action->handler = handler;
	return 0;
}

enum irqreturn __handle_irq_event_percpu(struct irqaction *action)
{
	enum irqreturn result;
	trace(irq_handler_entry, (int)action->irq, action);
	result = action->handler((int)action->irq, action->dev_id);
	trace(irq_handler_exit, (int)action->irq, action, (int)result);
	return result;
}

void handle_irq_event(unsigned int irq)
{
	struct irqaction *action = &irq_actions[irq];
	if (irq >= NR_IRQS || !action->handler)
		return;
	journal(J_IRQ_ENTER, irq, 0, 0, 0);
	__handle_irq_event_percpu(action);
	journal(J_IRQ_EXIT, irq, 0, 0, 0);
}

void common_interrupt(struct pt_regs *regs)
{
	irq_enter();
	handle_irq_event(BLOCK_VECTOR - FIRST_EXTERNAL_VECTOR);
	irq_exit();
	irqentry_exit(regs);
}

void sysvec_apic_timer_interrupt(struct pt_regs *regs)
{
	irq_enter();
	irq_regs[smp_processor_id()] = regs;
	journal(J_IRQ_ENTER, TIMER_VECTOR, 0, 0, 0);
	trace(local_timer_entry, TIMER_VECTOR);
	hrtimer_interrupt();
	trace(local_timer_exit, TIMER_VECTOR);
	journal(J_IRQ_EXIT, TIMER_VECTOR, 0, 0, 0);
	irq_exit();
	irqentry_exit(regs);
}

/* need_resched is already set; leaving the interrupt does the rest. */
void sysvec_reschedule_ipi(struct pt_regs *regs)
{
	irq_enter();
	journal(J_IRQ_ENTER, RESCHEDULE_VECTOR, 0, 0, 0);
	trace(reschedule_entry, RESCHEDULE_VECTOR);
	trace(reschedule_exit, RESCHEDULE_VECTOR);
	journal(J_IRQ_EXIT, RESCHEDULE_VECTOR, 0, 0, 0);
	irq_exit();
	irqentry_exit(regs);
}

void sysvec_sample(struct pt_regs *regs)
{
	irq_enter();
	journal(J_SAMPLE, pid_tgid(current), regs->ip, 0, 0);
	hypercall(HC_SAMPLE, (u64)regs, 0, 0, 0, 0);
	irq_exit();
	irqentry_exit(regs);
}
