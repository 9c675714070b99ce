/* The scheduler's core: who runs next on this CPU, and how sleepers get back onto a run queue. */
#include "irq.h"
#include "journal.h"
#include "mm.h"
#include "uapi.h"

#define TASK_WAKING 512

struct rq runqueues[NR_CPUS];

struct task_struct *__switch_to_asm(struct task_struct *prev, struct task_struct *next, u64 *prev_sp, u64 *next_sp);

static __always_inline struct rq *this_rq(void) { return &runqueues[smp_processor_id()]; }

/* Run queue locks are taken with interrupts off and leave preempt_count alone: a switch happens under one. */
void raw_spin_rq_lock(struct rq *rq)
{
	while (xchg(&rq->__lock.locked, 1))
		while (rq->__lock.locked)
			cpu_relax();
}

void raw_spin_rq_unlock(struct rq *rq)
{
	barrier();
	rq->__lock.locked = 0;
}

void update_rq_clock(struct rq *rq)
{
	u64 now = rdtsc();
	if (now > rq->clock)
		rq->clock = now;
}

/* Locks the run queue `p` is on, which may change until the lock is held. */
struct rq *task_rq_lock(struct task_struct *p)
{
	for (;;) {
		struct rq *rq = &runqueues[READ_ONCE(p->cpu)];
		raw_spin_rq_lock(rq);
		if (likely(rq->cpu == READ_ONCE(p->cpu)))
			return rq;
		raw_spin_rq_unlock(rq);
	}
}

void sched_init_cpu(int cpu, struct task_struct *idle)
{
	struct rq *rq = &runqueues[cpu];
	rq->cpu = cpu;
	rq->idle = idle;
	rq->curr = idle;
	rq->clock = rdtsc();
	INIT_LIST_HEAD(&rq->cfs.tasks_timeline);
	idle->cpu = cpu;
	idle->se.cfs_rq = &rq->cfs;
	idle->on_cpu = 1;
	idle->on_rq = 1;
	idle->flags |= PF_IDLE | PF_KTHREAD;
	idle->prio = 140;
}

void resched_curr(struct rq *rq)
{
	struct task_struct *curr = rq->curr;
	if (curr->need_resched)
		return;
	WRITE_ONCE(curr->need_resched, 1);
	if (rq->cpu != smp_processor_id())
		smp_send_reschedule(rq->cpu);
}

/* Makes a task, wherever it runs, pass through the kernel soon. */
void kick_process(struct task_struct *p)
{
	int cpu = READ_ONCE(p->cpu);
	WRITE_ONCE(p->need_resched, 1);
	if (cpu != smp_processor_id())
		smp_send_reschedule(cpu);
}

void activate_task(struct rq *rq, struct task_struct *p, bool initial)
{
	enqueue_task_fair(rq, p, initial);
	rq->nr_running++;
	WRITE_ONCE(p->on_rq, 1);
}

void deactivate_task(struct rq *rq, struct task_struct *p)
{
	WRITE_ONCE(p->on_rq, 0);
	update_stats_dequeue(rq, p);
	dequeue_task_fair(rq, p);
	rq->nr_running--;
}

void set_task_cpu(struct task_struct *p, int cpu)
{
	if (p->cpu == cpu)
		return;
	journal(J_MIGRATE, (u64)(u32)p->pid, (u64)(u32)p->cpu, (u64)(u32)cpu, 0);
	trace(sched_migrate_task, p, cpu);
	p->recent_used_cpu = p->cpu;
	WRITE_ONCE(p->cpu, cpu);
}

struct task_struct *pick_next_task(struct rq *rq, struct task_struct *prev)
{
	struct task_struct *next;
	put_prev_task_fair(rq, prev);
	next = pick_next_task_fair(rq);
	if (!next)
		next = newidle_balance(rq);
	if (!next)
		next = rq->idle;
	rq->cfs.curr = next == rq->idle ? NULL : next;
	next->se.exec_start = rq->clock;
	if (next != rq->idle)
		update_stats_wait_end(rq, next);
	return next;
}

void prepare_task_switch(struct rq *rq, struct task_struct *prev, struct task_struct *next)
{
	rq->prev_switched = prev;
	WRITE_ONCE(next->on_cpu, 1);
}

/* Runs as the new task: the old one's stack is free from here on. */
struct rq *finish_task_switch(struct task_struct *prev)
{
	struct rq *rq = this_rq();
	unsigned int prev_state = READ_ONCE(prev->__state);
	barrier();
	WRITE_ONCE(prev->on_cpu, 0);
	raw_spin_rq_unlock(rq);
	local_irq_enable();
	if (unlikely(prev_state == TASK_DEAD)) {
		hypercall(HC_TASK_DEAD, (u64)prev, 0, 0, 0, 0);
		put_task_struct(prev);
	}
	return rq;
}

void switch_mm(struct mm_struct *next)
{
	u64 pgd = next ? __pa(next->pgd) : loader_pgd;
	if (read_cr3() != pgd)
		write_cr3(pgd);
}

void context_switch(struct rq *rq, struct task_struct *prev, struct task_struct *next)
{
	prepare_task_switch(rq, prev, next);
	switch_mm(next->mm);
	prev = __switch_to_asm(prev, next, &prev->thread.sp, &next->thread.sp);
	finish_task_switch(prev);
}

/* First thing a new task does. It starts with the preempt_count of the schedule() that switched to it. */
void schedule_tail(struct task_struct *prev)
{
	finish_task_switch(prev);
	preempt_enable_no_resched();
	if (current->need_resched)
		schedule();
}

/* Reads the state a sleeper would leave with; a signal keeps an interruptible one running. */
unsigned int sched_prev_state(struct rq *rq, struct task_struct *prev, bool preempt)
{
	unsigned int state = READ_ONCE(prev->__state);
	if (preempt || !state) {
		prev->nivcsw++;
		return preempt ? state : 0;
	}
	prev->nvcsw++;
	if (signal_pending_state(state, prev)) {
		WRITE_ONCE(prev->__state, TASK_RUNNING);
		return TASK_RUNNING;
	}
	deactivate_task(rq, prev);
	return state;
}

void __schedule(bool preempt)
{
	struct task_struct *prev, *next;
	unsigned int prev_state;
	struct rq *rq;
	local_irq_disable();
	rq = this_rq();
	prev = rq->curr;
	raw_spin_rq_lock(rq);
	update_rq_clock(rq);
	update_curr(&rq->cfs);
	prev_state = sched_prev_state(rq, prev, preempt);
	next = pick_next_task(rq, prev);
	WRITE_ONCE(prev->need_resched, 0);
	if (likely(prev != next)) {
		rq->nr_switches++;
		WRITE_ONCE(rq->curr, next);
		journal(J_SWITCH, (u64)(u32)prev->pid, (u64)(u32)next->pid, prev_state, preempt);
		trace(sched_switch, preempt, prev, next, prev_state);
		context_switch(rq, prev, next);
	} else {
		raw_spin_rq_unlock(rq);
		local_irq_enable();
	}
}

void schedule(void)
{
	do {
		preempt_disable();
		__schedule(false);
		preempt_enable_no_resched();
	} while (current->need_resched);
}

/* From an interrupt that found work for this CPU; interrupts are off before and after. */
void preempt_schedule_irq(void)
{
	do {
		preempt_disable();
		local_irq_enable();
		__schedule(true);
		local_irq_disable();
		preempt_enable_no_resched();
	} while (current->need_resched);
}

void preempt_schedule(void)
{
	if (irqs_disabled())
		return;
	do {
		preempt_disable();
		__schedule(true);
		preempt_enable_no_resched();
	} while (current->need_resched);
}

void preempt_enable(void)
{
	preempt_enable_no_resched();
	if (unlikely(!preempt_count() && current->need_resched))
		preempt_schedule();
}

void __noreturn do_task_dead(void)
{
	preempt_disable();
	WRITE_ONCE(current->__state, TASK_DEAD);
	__schedule(false);
	panic("a dead task ran");
}

void ttwu_do_wakeup(struct rq *rq, struct task_struct *p)
{
	if (rq->curr != p)
		check_preempt_wakeup(rq, p);
	WRITE_ONCE(p->__state, TASK_RUNNING);
	journal(J_WAKEUP, pid_tgid(current), (u64)(u32)p->pid, (u64)(u32)rq->cpu, 0);
	trace(sched_wakeup, p);
}

void ttwu_do_activate(struct rq *rq, struct task_struct *p)
{
	update_rq_clock(rq);
	activate_task(rq, p, false);
	ttwu_do_wakeup(rq, p);
}

/* The task has not got round to leaving its run queue: making it runnable is enough. */
bool ttwu_runnable(struct task_struct *p)
{
	struct rq *rq = task_rq_lock(p);
	bool queued = READ_ONCE(p->on_rq) != 0;
	if (queued)
		ttwu_do_wakeup(rq, p);
	raw_spin_rq_unlock(rq);
	return queued;
}

void ttwu_queue(struct task_struct *p, int cpu)
{
	struct rq *rq = &runqueues[cpu];
	raw_spin_rq_lock(rq);
	ttwu_do_activate(rq, p);
	raw_spin_rq_unlock(rq);
}

int select_task_rq(struct task_struct *p)
{
	int cpu = select_task_rq_fair(p, p->cpu);
	if (cpu < 0 || cpu >= nr_cpu_ids)
		cpu = p->cpu;
	return cpu;
}

int try_to_wake_up(struct task_struct *p, unsigned int state)
{
	int success = 0;
	u64 flags = _raw_spin_lock_irqsave(&p->pi_lock);
	if (!(READ_ONCE(p->__state) & state))
		goto unlock;
	success = 1;
	trace(sched_waking, p);
	if (p == current) {
		WRITE_ONCE(p->__state, TASK_RUNNING);
		journal(J_WAKEUP, pid_tgid(p), (u64)(u32)p->pid, (u64)(u32)p->cpu, 0);
		trace(sched_wakeup, p);
		goto unlock;
	}
	if (READ_ONCE(p->on_rq) && ttwu_runnable(p))
		goto unlock;
	while (READ_ONCE(p->on_cpu))
		cpu_relax();
	WRITE_ONCE(p->__state, TASK_WAKING);
	set_task_cpu(p, select_task_rq(p));
	ttwu_queue(p, p->cpu);
unlock:
	_raw_spin_unlock_irqrestore(&p->pi_lock, flags);
	return success;
}

int wake_up_process(struct task_struct *p) { return try_to_wake_up(p, TASK_NORMAL); }

void wake_up_new_task(struct task_struct *p)
{
	u64 flags = _raw_spin_lock_irqsave(&p->pi_lock);
	struct rq *rq;
	WRITE_ONCE(p->__state, TASK_RUNNING);
	p->cpu = select_task_rq(p);
	rq = &runqueues[p->cpu];
	raw_spin_rq_lock(rq);
	update_rq_clock(rq);
	activate_task(rq, p, true);
	journal(J_WAKEUP, pid_tgid(current), (u64)(u32)p->pid, (u64)(u32)rq->cpu, 1);
	trace(sched_wakeup_new, p);
	check_preempt_wakeup(rq, p);
	raw_spin_rq_unlock(rq);
	_raw_spin_unlock_irqrestore(&p->pi_lock, flags);
}

void scheduler_tick(void)
{
	struct rq *rq = this_rq();
	struct task_struct *curr = rq->curr;
	raw_spin_rq_lock(rq);
	update_rq_clock(rq);
	if (curr != rq->idle)
		task_tick_fair(rq, curr);
	raw_spin_rq_unlock(rq);
}

void sched_fork(struct task_struct *p)
{
	p->__state = TASK_NEW;
	p->prio = p->normal_prio = p->static_prio = current->static_prio;
	p->on_rq = 0;
	p->on_cpu = 0;
	p->se.on_rq = 0;
	p->se.sum_exec_runtime = 0;
	p->se.prev_sum_exec_runtime = 0;
	p->se.vruntime = current->se.vruntime;
	p->cpu = smp_processor_id();
	INIT_LIST_HEAD(&p->se.group_node);
}

#define PWR_EVENT_EXIT ((unsigned int)-1)

/* Interrupts are off; the halt ends with the first of them. */
void default_idle(void)
{
	unsigned int cpu = (unsigned int)smp_processor_id();
	journal(J_CPU_IDLE, 1, cpu, 0, 0);
	trace(cpu_idle, 1, cpu);
	safe_halt();
	journal(J_CPU_IDLE, PWR_EVENT_EXIT, cpu, 0, 0);
	trace(cpu_idle, PWR_EVENT_EXIT, cpu);
}

/* The idle task runs with preemption off, at the preempt_count every switch happens with. */
void do_idle(void)
{
	while (!current->need_resched) {
		local_irq_disable();
		if (current->need_resched) {
			local_irq_enable();
			break;
		}
		tick_nohz_idle_stop_tick();
		default_idle();
	}
	tick_nohz_idle_exit();
	__schedule(false);
}

void __noreturn cpu_startup_entry(void)
{
	for (;;)
		do_idle();
}
