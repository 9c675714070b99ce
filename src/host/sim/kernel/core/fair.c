/* Fair scheduling: the task that has run least comes first; a queue ordered by virtual runtime. */
#include "journal.h"
#include "sched.h"
#include "uapi.h"

#define SCHED_LATENCY 4000000UL
#define WAKEUP_GRANULARITY 1000000UL

void raw_spin_rq_lock(struct rq *rq);
void raw_spin_rq_unlock(struct rq *rq);
void set_task_cpu(struct task_struct *p, int cpu);

static __always_inline struct task_struct *se_task(struct list_head *node)
{
	return list_entry(node, struct task_struct, se.group_node);
}

void update_min_vruntime(struct cfs_rq *cfs)
{
	u64 vruntime = cfs->min_vruntime;
	if (cfs->curr)
		vruntime = cfs->curr->se.vruntime;
	if (!list_empty(&cfs->tasks_timeline)) {
		u64 first = se_task(cfs->tasks_timeline.next)->se.vruntime;
		if (!cfs->curr || first < vruntime)
			vruntime = first;
	}
	if (vruntime > cfs->min_vruntime)
		cfs->min_vruntime = vruntime;
}

/* Charges the running task for the time since it was last charged. */
void update_curr(struct cfs_rq *cfs)
{
	struct rq *rq = container_of(cfs, struct rq, cfs);
	struct task_struct *curr = cfs->curr;
	u64 delta;
	if (!curr)
		return;
	delta = rq->clock - curr->se.exec_start;
	if ((s64)delta <= 0)
		return;
	curr->se.exec_start = rq->clock;
	curr->se.sum_exec_runtime += delta;
	curr->se.vruntime += delta;
	rq->busy_ns += delta;
	journal(J_SCHED_STAT, (u64)(u32)curr->pid, STAT_RUNTIME, delta, 0);
	trace(sched_stat_runtime, curr, delta, curr->se.vruntime);
	update_min_vruntime(cfs);
}

/* Statistics: how long tasks wait for a CPU, sleep, or are blocked. The queue is locked, its clock is now. */
void update_stats_wait_start(struct rq *rq, struct task_struct *p) 
{
	if (!p->stats.wait_start)
		p->stats.wait_start = rq->clock;
}

void update_stats_wait_end(struct rq *rq, struct task_struct *p)
{
	u64 delta = rq->clock - p->stats.wait_start;
	if (!p->stats.wait_start)
		return;
	p->stats.wait_start = 0;
	if ((s64)delta < 0)
		delta = 0;
	p->stats.wait_count++;
	p->stats.wait_sum += delta;
	journal(J_SCHED_STAT, (u64)(u32)p->pid, STAT_WAIT, delta, 0);
	trace(sched_stat_wait, p, delta);
}

void update_stats_dequeue(struct rq *rq, struct task_struct *p)
{
	unsigned int state = READ_ONCE(p->__state);
	if (state & TASK_INTERRUPTIBLE)
		p->stats.sleep_start = rq->clock;
	else if (state & TASK_UNINTERRUPTIBLE)
		p->stats.block_start = rq->clock;
}

void account_sleep(struct task_struct *p, u64 delta)
{
	p->stats.sleep_start = 0;
	if ((s64)delta < 0)
		delta = 0;
	journal(J_SCHED_STAT, (u64)(u32)p->pid, STAT_SLEEP, delta, 0);
	trace(sched_stat_sleep, p, delta);
}

void account_block(struct task_struct *p, u64 delta)
{
	p->stats.block_start = 0;
	if ((s64)delta < 0)
		delta = 0;
	if (p->in_iowait) {
		p->stats.iowait_sum += delta;
		p->stats.iowait_count++;
		journal(J_SCHED_STAT, (u64)(u32)p->pid, STAT_IOWAIT, delta, 0);
		trace(sched_stat_iowait, p, delta);
	}
	journal(J_SCHED_STAT, (u64)(u32)p->pid, STAT_BLOCKED, delta, 0);
	trace(sched_stat_blocked, p, delta);
}

void update_stats_enqueue_sleeper(struct rq *rq, struct task_struct *p)
{
	if (p->stats.sleep_start)
		account_sleep(p, rq->clock - p->stats.sleep_start);
	if (p->stats.block_start)
		account_block(p, rq->clock - p->stats.block_start);
}

void __enqueue_entity(struct cfs_rq *cfs, struct task_struct *p)
{
	struct list_head *pos;
	list_for_each(pos, &cfs->tasks_timeline)
		if (se_task(pos)->se.vruntime > p->se.vruntime)
			break;
	list_add_tail(&p->se.group_node, pos);
}

/* A sleeper gets at most half a latency of credit; a task from another CPU starts at this one's clock. */
void place_entity(struct cfs_rq *cfs, struct task_struct *p, bool initial)
{
	u64 floor = cfs->min_vruntime;
	if (initial)
		floor += SCHED_LATENCY / 4;
	else if (floor > SCHED_LATENCY / 2)
		floor -= SCHED_LATENCY / 2;
	if (p->se.vruntime < floor || p->se.vruntime > cfs->min_vruntime + SCHED_LATENCY)
		p->se.vruntime = floor;
}

void enqueue_task_fair(struct rq *rq, struct task_struct *p, bool initial)
{
	update_curr(&rq->cfs);
	cpufreq_update_util(rq);
	place_entity(&rq->cfs, p, initial);
	rq->cfs.nr_running++;
	p->se.on_rq = 1;
	p->se.cfs_rq = &rq->cfs;
	update_stats_enqueue_sleeper(rq, p);
	update_stats_wait_start(rq, p);
	__enqueue_entity(&rq->cfs, p);
}

/* The running task is not in the queue, so its node is empty and unlinking it changes nothing. */
void dequeue_task_fair(struct rq *rq, struct task_struct *p)
{
	list_del_init(&p->se.group_node);
	p->se.on_rq = 0;
	rq->cfs.nr_running--;
	if (rq->cfs.curr == p)
		rq->cfs.curr = NULL;
	update_min_vruntime(&rq->cfs);
}

void put_prev_task_fair(struct rq *rq, struct task_struct *prev)
{
	if (prev == rq->idle || !prev->se.on_rq)
		return;
	rq->cfs.curr = NULL;
	update_stats_wait_start(rq, prev);
	if (list_empty(&prev->se.group_node))
		__enqueue_entity(&rq->cfs, prev);
}

struct task_struct *pick_next_task_fair(struct rq *rq)
{
	struct task_struct *p;
	if (list_empty(&rq->cfs.tasks_timeline))
		return NULL;
	p = se_task(rq->cfs.tasks_timeline.next);
	list_del_init(&p->se.group_node);
	p->se.prev_sum_exec_runtime = p->se.sum_exec_runtime;
	return p;
}

void check_preempt_wakeup(struct rq *rq, struct task_struct *p)
{
	struct task_struct *curr = rq->curr;
	if (curr->need_resched)
		return;
	if (curr == rq->idle || p->se.vruntime + WAKEUP_GRANULARITY < curr->se.vruntime)
		resched_curr(rq);
}

u64 sched_slice(struct rq *rq)
{
	u64 slice = SCHED_LATENCY;
	if (rq->cfs.nr_running > 1)
		slice /= rq->cfs.nr_running;
	return slice;
}

void task_tick_fair(struct rq *rq, struct task_struct *curr)
{
	u64 ran;
	update_curr(&rq->cfs);
	cpufreq_update_util(rq);
	if (rq->cfs.nr_running < 2)
		return;
	ran = curr->se.sum_exec_runtime - curr->se.prev_sum_exec_runtime;
	if (ran > sched_slice(rq))
		resched_curr(rq);
}

int available_idle_cpu(int cpu)
{
	struct rq *rq = &runqueues[cpu];
	return rq->idle && READ_ONCE(rq->curr) == rq->idle && !READ_ONCE(rq->nr_running);
}

int select_task_rq_fair(struct task_struct *p, int prev_cpu)
{
	int cpu, best = prev_cpu;
	(void)p;
	if (available_idle_cpu(prev_cpu))
		return prev_cpu;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		if (available_idle_cpu(cpu))
			return cpu;
		if (runqueues[cpu].idle && runqueues[cpu].nr_running + 1 < runqueues[best].nr_running)
			best = cpu;
	}
	return best;
}

struct rq *find_busiest_queue(struct rq *this)
{
	struct rq *busiest = NULL;
	int cpu;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		struct rq *rq = &runqueues[cpu];
		if (rq == this || READ_ONCE(rq->nr_running) < 2)
			continue;
		if (!busiest || rq->nr_running > busiest->nr_running)
			busiest = rq;
	}
	return busiest;
}

/* Moves one waiting task from `busiest` to `this`; both are locked. */
struct task_struct *detach_one_task(struct rq *busiest, struct rq *this)
{
	struct list_head *pos;
	list_for_each(pos, &busiest->cfs.tasks_timeline) {
		struct task_struct *p = se_task(pos);
		if (READ_ONCE(p->on_cpu) || READ_ONCE(p->__state) != TASK_RUNNING)
			continue;
		dequeue_task_fair(busiest, p);
		busiest->nr_running--;
		set_task_cpu(p, this->cpu);
		enqueue_task_fair(this, p, false);
		this->nr_running++;
		return p;
	}
	return NULL;
}

/* Nothing to run here: take a task from the busiest CPU. Called, and returns, with rq locked. */
struct task_struct *newidle_balance(struct rq *rq)
{
	struct rq *busiest = find_busiest_queue(rq);
	if (!busiest)
		return NULL;
	if (busiest->cpu > rq->cpu) {
		raw_spin_rq_lock(busiest);
	} else {
		raw_spin_rq_unlock(rq);
		raw_spin_rq_lock(busiest);
		raw_spin_rq_lock(rq);
	}
	if (list_empty(&rq->cfs.tasks_timeline))
		detach_one_task(busiest, rq);
	raw_spin_rq_unlock(busiest);
	return pick_next_task_fair(rq);
}
