/* Reader-writer semaphores: many readers or one writer; nobody passes those who wait. */
#include "journal.h"
#include "sched.h"
#include "uapi.h"

#define RWSEM_WRITER_LOCKED 1L
#define RWSEM_FLAG_WAITERS 2L
#define RWSEM_READER_BIAS 256L
#define RWSEM_READER_OWNED 1L

void init_rwsem(struct rw_semaphore *sem)
{
	sem->count.counter = 0;
	sem->owner.counter = 0;
	sem->wait_lock.locked = 0;
	INIT_LIST_HEAD(&sem->wait_list);
}

/* Adds `delta` unless one of the bits is set. */
bool rwsem_try_add(struct rw_semaphore *sem, long refused, long delta)
{
	long count = READ_ONCE(sem->count.counter);
	do {
		if (count & refused)
			return false;
	} while (!__atomic_compare_exchange_n(&sem->count.counter, &count, count + delta, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return true;
}

bool rwsem_read_trylock(struct rw_semaphore *sem, long refused)
{
	if (!rwsem_try_add(sem, refused, RWSEM_READER_BIAS))
		return false;
	WRITE_ONCE(sem->owner.counter, (long)current | RWSEM_READER_OWNED);
	return true;
}

bool rwsem_write_trylock(struct rw_semaphore *sem, long refused)
{
	if (!rwsem_try_add(sem, refused, RWSEM_WRITER_LOCKED))
		return false;
	WRITE_ONCE(sem->owner.counter, (long)current);
	return true;
}

/* A writer has to be the first of the list; a reader may have readers before it. wait_lock is held. */
bool rwsem_waiter_may_go(struct rw_semaphore *sem, struct rwsem_waiter *waiter)
{
	struct list_head *pos;
	list_for_each(pos, &sem->wait_list) {
		struct rwsem_waiter *before = list_entry(pos, struct rwsem_waiter, list);
		if (before == waiter)
			return true;
		if (waiter->type == RWSEM_WAITING_FOR_WRITE || before->type == RWSEM_WAITING_FOR_WRITE)
			return false;
	}
	return false;
}

bool rwsem_try_lock_waiter(struct rw_semaphore *sem, struct rwsem_waiter *waiter)
{
	if (!rwsem_waiter_may_go(sem, waiter))
		return false;
	if (waiter->type == RWSEM_WAITING_FOR_READ)
		return rwsem_read_trylock(sem, RWSEM_WRITER_LOCKED);
	return rwsem_write_trylock(sem, ~RWSEM_FLAG_WAITERS);
}

/* The first waiter; if it is a reader, all readers up to the first writer. wait_lock is held. */
void rwsem_mark_wake(struct rw_semaphore *sem)
{
	struct list_head *pos;
	list_for_each(pos, &sem->wait_list) {
		struct rwsem_waiter *waiter = list_entry(pos, struct rwsem_waiter, list);
		bool writer = waiter->type == RWSEM_WAITING_FOR_WRITE;
		if (writer && pos != sem->wait_list.next)
			break;
		wake_up_process(waiter->task);
		if (writer)
			break;
	}
}

void rwsem_del_waiter(struct rw_semaphore *sem, struct rwsem_waiter *waiter)
{
	list_del_init(&waiter->list);
	if (list_empty(&sem->wait_list))
		__atomic_fetch_and(&sem->count.counter, ~RWSEM_FLAG_WAITERS, __ATOMIC_SEQ_CST);
}

int rwsem_down_slowpath(struct rw_semaphore *sem, enum rwsem_waiter_type type, unsigned int state)
{
	struct rwsem_waiter waiter = { .task = current, .type = type };
	int ret = 0;
	u64 flags;
	lock_contention_begin(sem, type == RWSEM_WAITING_FOR_READ ? LCB_F_READ : LCB_F_WRITE);
	flags = _raw_spin_lock_irqsave(&sem->wait_lock);
	list_add_tail(&waiter.list, &sem->wait_list);
	__atomic_fetch_or(&sem->count.counter, RWSEM_FLAG_WAITERS, __ATOMIC_SEQ_CST);
	for (;;) {
		set_current_state(state);
		if (rwsem_try_lock_waiter(sem, &waiter))
			break;
		if (signal_pending_state(state, current)) {
			ret = -EINTR;
			break;
		}
		_raw_spin_unlock_irqrestore(&sem->wait_lock, flags);
		schedule();
		flags = _raw_spin_lock_irqsave(&sem->wait_lock);
	}
	WRITE_ONCE(current->__state, TASK_RUNNING);
	rwsem_del_waiter(sem, &waiter);
	/* Whoever gives up may have been what readers waited for. */
	if (ret)
		rwsem_mark_wake(sem);
	_raw_spin_unlock_irqrestore(&sem->wait_lock, flags);
	lock_contention_end(sem, ret);
	return ret;
}

int rwsem_down_read_state(struct rw_semaphore *sem, unsigned int state, enum lock_operation operation)
{
	int ret = 0;
	if (unlikely(!rwsem_read_trylock(sem, RWSEM_WRITER_LOCKED | RWSEM_FLAG_WAITERS)))
		ret = rwsem_down_slowpath(sem, RWSEM_WAITING_FOR_READ, state);
	journal(J_LOCK, pid_tgid(current), (u64)sem, operation, (u64)ret);
	return ret;
}

int rwsem_down_write_state(struct rw_semaphore *sem, unsigned int state, enum lock_operation operation)
{
	int ret = 0;
	if (unlikely(!rwsem_write_trylock(sem, ~0L)))
		ret = rwsem_down_slowpath(sem, RWSEM_WAITING_FOR_WRITE, state);
	journal(J_LOCK, pid_tgid(current), (u64)sem, operation, (u64)ret);
	return ret;
}

void down_read(struct rw_semaphore *sem) { rwsem_down_read_state(sem, TASK_UNINTERRUPTIBLE, LOCK_READ); }

int down_read_interruptible(struct rw_semaphore *sem)
{
	return rwsem_down_read_state(sem, TASK_INTERRUPTIBLE, LOCK_READ_INTERRUPTIBLE);
}

int down_read_killable(struct rw_semaphore *sem)
{
	return rwsem_down_read_state(sem, TASK_KILLABLE, LOCK_READ_KILLABLE);
}

int down_read_trylock(struct rw_semaphore *sem)
{
	int had = rwsem_read_trylock(sem, RWSEM_WRITER_LOCKED | RWSEM_FLAG_WAITERS);
	journal(J_LOCK, pid_tgid(current), (u64)sem, LOCK_READ_TRY, (u64)had);
	return had;
}

void down_write(struct rw_semaphore *sem) { rwsem_down_write_state(sem, TASK_UNINTERRUPTIBLE, LOCK_WRITE); }

int down_write_killable(struct rw_semaphore *sem)
{
	return rwsem_down_write_state(sem, TASK_KILLABLE, LOCK_WRITE_KILLABLE);
}

int down_write_trylock(struct rw_semaphore *sem)
{
	int had = rwsem_write_trylock(sem, ~0L);
	journal(J_LOCK, pid_tgid(current), (u64)sem, LOCK_WRITE_TRY, (u64)had);
	return had;
}

void rwsem_wake(struct rw_semaphore *sem)
{
	u64 flags = _raw_spin_lock_irqsave(&sem->wait_lock);
	rwsem_mark_wake(sem);
	_raw_spin_unlock_irqrestore(&sem->wait_lock, flags);
}

void up_read(struct rw_semaphore *sem)
{
	long count;
	journal(J_LOCK, pid_tgid(current), (u64)sem, UNLOCK_READ, 0);
	count = __atomic_sub_fetch(&sem->count.counter, RWSEM_READER_BIAS, __ATOMIC_SEQ_CST);
	if (unlikely(count == RWSEM_FLAG_WAITERS))
		rwsem_wake(sem);
}

void up_write(struct rw_semaphore *sem)
{
	long count;
	journal(J_LOCK, pid_tgid(current), (u64)sem, UNLOCK_WRITE, 0);
	WRITE_ONCE(sem->owner.counter, 0);
	count = __atomic_sub_fetch(&sem->count.counter, RWSEM_WRITER_LOCKED, __ATOMIC_SEQ_CST);
	if (unlikely(count & RWSEM_FLAG_WAITERS))
		rwsem_wake(sem);
}
