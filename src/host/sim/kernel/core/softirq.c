/* Softirqs: what an interrupt leaves to be done with interrupts on, before the task goes on. */
#include "irq.h"
#include "journal.h"
#include "net.h"
#include "time.h"

#define SOFTIRQ_OFFSET 0x100
#define MAX_SOFTIRQ_RESTART 10

void handle_softirqs(unsigned int vec)
{
	journal(J_SOFTIRQ_ENTER, vec, 0, 0, 0);
	trace(softirq_entry, vec);
	if (vec == TIMER_SOFTIRQ)
		run_timer_softirq();
	else if (vec == NET_RX_SOFTIRQ)
		net_rx_action();
	trace(softirq_exit, vec);
	journal(J_SOFTIRQ_EXIT, vec, 0, 0, 0);
}

/* Interrupts are off on entry and on return. */
void __do_softirq(void)
{
	struct pcpu *cpu = this_cpu();
	int restart = MAX_SOFTIRQ_RESTART;
	cpu->preempt_count += SOFTIRQ_OFFSET;
	while (cpu->softirq_pending && restart--) {
		u32 pending = cpu->softirq_pending;
		unsigned int vec;
		cpu->softirq_pending = 0;
		local_irq_enable();
		for (vec = 0; vec < NR_SOFTIRQS; vec++)
			if (pending & 1u << vec)
				handle_softirqs(vec);
		local_irq_disable();
	}
	cpu->preempt_count -= SOFTIRQ_OFFSET;
}

/* Preemption must be off. Outside of interrupts the caller follows with local_bh_enable(). */
void raise_softirq(unsigned int nr)
{
	u64 flags = local_irq_save();
	journal(J_SOFTIRQ_RAISE, nr, 0, 0, 0);
	trace(softirq_raise, nr);
	this_cpu()->softirq_pending |= 1u << nr;
	local_irq_restore(flags);
}

/* Runs what was raised, unless an outer interrupt or softirq is going to. */
void local_bh_enable(void)
{
	u64 flags = local_irq_save();
	struct pcpu *cpu = this_cpu();
	if (cpu->softirq_pending && !(cpu->preempt_count & ~0xff))
		__do_softirq();
	local_irq_restore(flags);
}
