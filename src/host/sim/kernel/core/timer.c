/* Coarse timers in ticks: found expired by the tick, run by the timer softirq. */
#include "irq.h"
#include "journal.h"
#include "sched.h"

struct timer_base {
	spinlock_t lock;
	unsigned long clk;
	struct list_head timers;
	struct timer_list *volatile running_timer;
};

static struct timer_base timer_bases[NR_CPUS];

void init_timers_cpu(int cpu) { INIT_LIST_HEAD(&timer_bases[cpu].timers); }

void timer_setup(struct timer_list *timer, void (*function)(struct timer_list *))
{
	timer->function = function;
	timer->flags = (u32)smp_processor_id();
	INIT_LIST_HEAD(&timer->entry);
}

void enqueue_timer(struct timer_base *base, struct timer_list *timer)
{
	struct list_head *pos = base->timers.prev;
	while (pos != &base->timers && list_entry(pos, struct timer_list, entry)->expires > timer->expires)
		pos = pos->prev;
	list_add(&timer->entry, pos);
	journal(J_TIMER_START, (u64)timer, (u64)timer->function, timer->expires, 0);
	trace(timer_start, timer, timer->expires, timer->flags);
}

/* The low bits of `flags` name the CPU whose base holds the timer. */
int del_timer(struct timer_list *timer)
{
	struct timer_base *base = &timer_bases[timer->flags];
	u64 flags = _raw_spin_lock_irqsave(&base->lock);
	int was_pending = !list_empty(&timer->entry);
	if (was_pending)
		list_del_init(&timer->entry);
	_raw_spin_unlock_irqrestore(&base->lock, flags);
	return was_pending;
}

/* Also waits for the timer's function, should it be running on another CPU: its memory may be reused then. */
int del_timer_sync(struct timer_list *timer)
{
	int was_pending = del_timer(timer);
	while (timer_bases[timer->flags].running_timer == timer)
		cpu_relax();
	return was_pending;
}

int mod_timer(struct timer_list *timer, unsigned long expires)
{
	int was_pending = del_timer(timer);
	struct timer_base *base;
	u64 flags;
	preempt_disable();
	base = &timer_bases[smp_processor_id()];
	flags = _raw_spin_lock_irqsave(&base->lock);
	timer->flags = (u32)smp_processor_id();
	timer->expires = expires;
	enqueue_timer(base, timer);
	_raw_spin_unlock_irqrestore(&base->lock, flags);
	preempt_enable();
	return was_pending;
}

void call_timer_fn(struct timer_list *timer, unsigned long baseclk)
{
	journal(J_TIMER_ENTER, (u64)timer, (u64)timer->function, baseclk, 0);
	trace(timer_expire_entry, timer, baseclk);
	timer->function(timer);
	trace(timer_expire_exit, timer);
	journal(J_TIMER_EXIT, (u64)timer, 0, 0, 0);
}

void expire_timers(struct timer_base *base, u64 *flags)
{
	while (!list_empty(&base->timers)) {
		struct timer_list *timer = list_first_entry(&base->timers, struct timer_list, entry);
		if (timer->expires > base->clk)
			break;
		list_del_init(&timer->entry);
		base->running_timer = timer;
		_raw_spin_unlock_irqrestore(&base->lock, *flags);
		call_timer_fn(timer, base->clk);
		*flags = _raw_spin_lock_irqsave(&base->lock);
		base->running_timer = NULL;
	}
}

void run_timer_softirq(void)
{
	struct timer_base *base = &timer_bases[smp_processor_id()];
	u64 flags = _raw_spin_lock_irqsave(&base->lock);
	base->clk = jiffies;
	expire_timers(base, &flags);
	_raw_spin_unlock_irqrestore(&base->lock, flags);
}

/* The tick at which the first timer of this CPU is due, 0 without any. */
unsigned long get_next_timer_interrupt(void)
{
	struct timer_base *base = &timer_bases[smp_processor_id()];
	u64 flags = _raw_spin_lock_irqsave(&base->lock);
	unsigned long next = 0;
	if (!list_empty(&base->timers))
		next = max(list_first_entry(&base->timers, struct timer_list, entry)->expires, 1UL);
	_raw_spin_unlock_irqrestore(&base->lock, flags);
	return next;
}

void run_local_timers(void)
{
	struct timer_base *base = &timer_bases[smp_processor_id()];
	struct list_head *first = READ_ONCE(base->timers.next);
	if (first == &base->timers)
		return;
	if (list_entry(first, struct timer_list, entry)->expires <= jiffies)
		raise_softirq(TIMER_SOFTIRQ);
}

struct process_timer {
	struct timer_list timer;
	struct task_struct *task;
};

void process_timeout(struct timer_list *timer)
{
	struct process_timer *timeout = container_of(timer, struct process_timer, timer);
	wake_up_process(timeout->task);
}

/* Sleeps in the state the caller has set; the result is the ticks left. */
long schedule_timeout(long ticks)
{
	struct process_timer timeout;
	unsigned long expire = jiffies + (unsigned long)ticks;
	timeout.task = current;
	timer_setup(&timeout.timer, process_timeout);
	mod_timer(&timeout.timer, expire);
	schedule();
	del_timer_sync(&timeout.timer);
	ticks = (long)(expire - jiffies);
	return ticks < 0 ? 0 : ticks;
}
