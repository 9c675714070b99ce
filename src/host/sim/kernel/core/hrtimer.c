/* High-resolution timers: one ordered queue per CPU, run in the timer interrupt. The tick is one of them. */
#include "irq.h"
#include "journal.h"
#include "sched.h"
#include "uapi.h"

struct hrtimer_cpu_base {
	spinlock_t lock;
	struct list_head active;
	struct hrtimer sched_timer;
	bool tick_stopped;
};

static struct hrtimer_cpu_base hrtimer_bases[NR_CPUS];
extern struct pt_regs *irq_regs[NR_CPUS];
volatile unsigned long jiffies;
u64 tick_ns;

void hrtimers_init_cpu(int cpu) { INIT_LIST_HEAD(&hrtimer_bases[cpu].active); }

void hrtimer_init(struct hrtimer *timer, enum hrtimer_restart (*function)(struct hrtimer *))
{
	timer->function = function;
	timer->state = 0;
	timer->is_running = 0;
	timer->cpu = smp_processor_id();
	INIT_LIST_HEAD(&timer->node);
}

void tick_program_event(struct hrtimer_cpu_base *base)
{
	u64 deadline = 0;
	if (!list_empty(&base->active))
		deadline = (u64)list_first_entry(&base->active, struct hrtimer, node)->_softexpires;
	hypercall(HC_TIMER, deadline, 0, 0, 0, 0);
}

/* True if the timer is now the first one. */
bool enqueue_hrtimer(struct hrtimer *timer, struct hrtimer_cpu_base *base)
{
	struct list_head *pos;
	list_for_each(pos, &base->active)
		if (list_entry(pos, struct hrtimer, node)->_softexpires > timer->_softexpires)
			break;
	list_add_tail(&timer->node, pos);
	timer->state = 1;
	return base->active.next == &timer->node;
}

void __remove_hrtimer(struct hrtimer *timer)
{
	if (!timer->state)
		return;
	list_del_init(&timer->node);
	timer->state = 0;
}

void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode)
{
	u64 irq = local_irq_save();
	struct hrtimer_cpu_base *base = &hrtimer_bases[smp_processor_id()];
	u64 flags = _raw_spin_lock_irqsave(&base->lock);
	timer->cpu = smp_processor_id();
	timer->_softexpires = mode == HRTIMER_MODE_REL ? ktime_get() + time : time;
	trace(hrtimer_start, timer, mode);
	if (enqueue_hrtimer(timer, base))
		tick_program_event(base);
	_raw_spin_unlock_irqrestore(&base->lock, flags);
	local_irq_restore(irq);
}

/* 1 if it was waiting, 0 if not, -1 if its function is running now. */
int hrtimer_try_to_cancel(struct hrtimer *timer)
{
	struct hrtimer_cpu_base *base = &hrtimer_bases[timer->cpu];
	u64 flags = _raw_spin_lock_irqsave(&base->lock);
	int result = timer->state;
	if (timer->is_running)
		result = -1;
	else
		__remove_hrtimer(timer);
	_raw_spin_unlock_irqrestore(&base->lock, flags);
	return result;
}

int hrtimer_cancel(struct hrtimer *timer)
{
	int result;
	while ((result = hrtimer_try_to_cancel(timer)) < 0)
		cpu_relax();
	return result;
}

/* Called and left with the base locked and interrupts off; the timer's function runs unlocked. */
void __run_hrtimer(struct hrtimer_cpu_base *base, struct hrtimer *timer, ktime_t *now)
{
	enum hrtimer_restart restart;
	__remove_hrtimer(timer);
	timer->is_running = 1;
	_raw_spin_unlock(&base->lock);
	journal(J_HRTIMER_ENTER, (u64)timer, (u64)timer->function, (u64)*now, 0);
	trace(hrtimer_expire_entry, timer, now);
	restart = timer->function(timer);
	trace(hrtimer_expire_exit, timer);
	journal(J_HRTIMER_EXIT, (u64)timer, 0, 0, 0);
	_raw_spin_lock(&base->lock);
	timer->is_running = 0;
	if (restart == HRTIMER_RESTART && !timer->state)
		enqueue_hrtimer(timer, base);
}

void __hrtimer_run_queues(struct hrtimer_cpu_base *base, ktime_t now)
{
	while (!list_empty(&base->active)) {
		struct hrtimer *timer = list_first_entry(&base->active, struct hrtimer, node);
		if (timer->_softexpires > now)
			break;
		__run_hrtimer(base, timer, &now);
	}
}

void hrtimer_interrupt(void)
{
	struct hrtimer_cpu_base *base = &hrtimer_bases[smp_processor_id()];
	ktime_t now = ktime_get();
	_raw_spin_lock(&base->lock);
	__hrtimer_run_queues(base, now);
	tick_program_event(base);
	_raw_spin_unlock(&base->lock);
}

void tick_do_update_jiffies64(ktime_t now)
{
	unsigned long ticks = (u64)now / tick_ns;
	if (ticks > jiffies)
		jiffies = ticks;
}

enum hrtimer_restart tick_sched_timer(struct hrtimer *timer)
{
	ktime_t now = ktime_get();
	tick_do_update_jiffies64(now);
	update_process_times(user_mode(irq_regs[smp_processor_id()]));
	do {
		timer->_softexpires += (ktime_t)tick_ns;
	} while (timer->_softexpires <= now);
	return HRTIMER_RESTART;
}

void update_process_times(bool user)
{
	if (user)
		current->utime += tick_ns;
	else
		current->stime += tick_ns;
	run_local_timers();
	scheduler_tick();
}

/* Ticks of the CPUs are spread over the period, so that they do not contend for the same locks. */
void tick_setup_sched_timer(void)
{
	int cpu = smp_processor_id();
	struct hrtimer *timer = &hrtimer_bases[cpu].sched_timer;
	u64 phase = tick_ns / (u64)(nr_cpu_ids + 1) * (u64)cpu;
	hrtimer_init(timer, tick_sched_timer);
	hrtimer_start(timer, (ktime_t)((rdtsc() / tick_ns + 1) * tick_ns + phase), HRTIMER_MODE_ABS);
}

/* An idle CPU has no tick but the one that its next timer is due at. Interrupts are off. */
void tick_nohz_idle_stop_tick(void)
{
	struct hrtimer_cpu_base *base = &hrtimer_bases[smp_processor_id()];
	struct hrtimer *timer = &base->sched_timer;
	ktime_t due = (ktime_t)(get_next_timer_interrupt() * tick_ns);
	if (base->tick_stopped && (due ? timer->state && timer->_softexpires == due : !timer->state))
		return;
	base->tick_stopped = true;
	hrtimer_cancel(timer);
	if (due)
		hrtimer_start(timer, due, HRTIMER_MODE_ABS);
}

void tick_nohz_idle_exit(void)
{
	struct hrtimer_cpu_base *base = &hrtimer_bases[smp_processor_id()];
	tick_do_update_jiffies64(ktime_get());
	if (!base->tick_stopped)
		return;
	base->tick_stopped = false;
	hrtimer_cancel(&base->sched_timer);
	tick_setup_sched_timer();
}

struct hrtimer_sleeper {
	struct hrtimer timer;
	struct task_struct *task;
};

enum hrtimer_restart hrtimer_wakeup(struct hrtimer *timer)
{
	struct hrtimer_sleeper *sleeper = container_of(timer, struct hrtimer_sleeper, timer);
	struct task_struct *task = sleeper->task;
	WRITE_ONCE(sleeper->task, NULL);
	if (task)
		wake_up_process(task);
	return HRTIMER_NORESTART;
}

long do_nanosleep(struct hrtimer *timer, ktime_t expires)
{
	struct hrtimer_sleeper *sleeper = container_of(timer, struct hrtimer_sleeper, timer);
	do {
		set_current_state(TASK_INTERRUPTIBLE);
		hrtimer_start(timer, expires, HRTIMER_MODE_ABS);
		if (READ_ONCE(sleeper->task))
			schedule();
		hrtimer_cancel(timer);
	} while (READ_ONCE(sleeper->task) && !signal_pending(current));
	WRITE_ONCE(current->__state, TASK_RUNNING);
	if (!READ_ONCE(sleeper->task))
		return 0;
	current->restart_expires = expires;
	return -ERESTART_RESTARTBLOCK;
}

/* Sleeps on until the time that the interrupted call was to end at. */
long __x64_sys_restart_syscall(const struct pt_regs *regs)
{
	struct hrtimer_sleeper sleeper;
	(void)regs;
	hrtimer_init(&sleeper.timer, hrtimer_wakeup);
	sleeper.task = current;
	return do_nanosleep(&sleeper.timer, current->restart_expires);
}

/* Sleeps in the state that the caller has set, until woken (-EINTR) or until the time (0); without one until woken. */
int schedule_hrtimeout(const ktime_t *expires)
{
	struct hrtimer_sleeper sleeper;
	if (!expires) {
		schedule();
		return -EINTR;
	}
	hrtimer_init(&sleeper.timer, hrtimer_wakeup);
	sleeper.task = current;
	hrtimer_start(&sleeper.timer, *expires, HRTIMER_MODE_ABS);
	if (READ_ONCE(sleeper.task))
		schedule();
	hrtimer_cancel(&sleeper.timer);
	WRITE_ONCE(current->__state, TASK_RUNNING);
	return READ_ONCE(sleeper.task) ? -EINTR : 0;
}

long hrtimer_nanosleep(ktime_t request)
{
	struct hrtimer_sleeper sleeper;
	hrtimer_init(&sleeper.timer, hrtimer_wakeup);
	sleeper.task = current;
	return do_nanosleep(&sleeper.timer, ktime_get() + request);
}
