/* Spinlocks and wait queues. */
#include "irq.h"
#include "mm.h"
#include "uapi.h"

void queued_spin_lock_slowpath(spinlock_t *lock)
{
	lock_contention_begin(lock, 0);
	do {
		while (READ_ONCE(lock->locked))
			cpu_relax();
	} while (xchg(&lock->locked, 1));
	lock_contention_end(lock, 0);
}

void _raw_spin_lock(spinlock_t *lock)
{
	preempt_disable();
	if (unlikely(xchg(&lock->locked, 1)))
		queued_spin_lock_slowpath(lock);
}

void _raw_spin_unlock(spinlock_t *lock)
{
	barrier();
	lock->locked = 0;
	preempt_enable();
}

u64 _raw_spin_lock_irqsave(spinlock_t *lock)
{
	u64 flags = local_irq_save();
	preempt_disable();
	if (unlikely(xchg(&lock->locked, 1)))
		queued_spin_lock_slowpath(lock);
	return flags;
}

void _raw_spin_unlock_irqrestore(spinlock_t *lock, u64 flags)
{
	barrier();
	lock->locked = 0;
	local_irq_restore(flags);
	preempt_enable();
}

void init_waitqueue_head(struct wait_queue_head *wq)
{
	wq->lock.locked = 0;
	INIT_LIST_HEAD(&wq->head);
}

void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *wait, unsigned int state)
{
	u64 flags = _raw_spin_lock_irqsave(&wq->lock);
	if (list_empty(&wait->entry))
		list_add_tail(&wait->entry, &wq->head);
	set_current_state(state);
	_raw_spin_unlock_irqrestore(&wq->lock, flags);
}

void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *wait)
{
	u64 flags;
	WRITE_ONCE(current->__state, TASK_RUNNING);
	flags = _raw_spin_lock_irqsave(&wq->lock);
	if (!list_empty(&wait->entry))
		list_del_init(&wait->entry);
	_raw_spin_unlock_irqrestore(&wq->lock, flags);
}

void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *wait)
{
	u64 flags = _raw_spin_lock_irqsave(&wq->lock);
	list_add(&wait->entry, &wq->head);
	_raw_spin_unlock_irqrestore(&wq->lock, flags);
}

void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *wait)
{
	u64 flags = _raw_spin_lock_irqsave(&wq->lock);
	list_del_init(&wait->entry);
	_raw_spin_unlock_irqrestore(&wq->lock, flags);
}

int default_wake_function(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	(void)sync;
	(void)key;
	return try_to_wake_up(wait->private, mode);
}

int autoremove_wake_function(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	int woken = default_wake_function(wait, mode, sync, key);
	if (woken)
		list_del_init(&wait->entry);
	return woken;
}

int __wake_up_common(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	struct list_head *pos, *next;
	int woken = 0;
	list_for_each_safe(pos, next, &wq->head) {
		struct wait_queue_entry *wait = list_entry(pos, struct wait_queue_entry, entry);
		bool exclusive = wait->flags & WQ_FLAG_EXCLUSIVE;
		if (woken >= nr)
			break;
		woken += wait->func(wait, mode, 0, key) && exclusive;
	}
	return woken;
}

int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	u64 flags = _raw_spin_lock_irqsave(&wq->lock);
	int woken = __wake_up_common(wq, mode, nr, key);
	_raw_spin_unlock_irqrestore(&wq->lock, flags);
	return woken;
}
