/* Mutexes: taken by writing one's name into an empty word; who finds another's sleeps until it is empty. */
#include "journal.h"
#include "sched.h"
#include "uapi.h"

void lock_contention_begin(void *lock, unsigned int flags)
{
	journal(J_LOCK_CONTENTION, pid_tgid(current), (u64)lock, 0, flags);
	trace(contention_begin, lock, flags);
}

void lock_contention_end(void *lock, int ret)
{
	journal(J_LOCK_CONTENTION, pid_tgid(current), (u64)lock, 1, (u64)ret);
	trace(contention_end, lock, ret);
}

void mutex_init(struct mutex *lock)
{
	lock->owner.counter = 0;
	lock->wait_lock.locked = 0;
	INIT_LIST_HEAD(&lock->wait_list);
}

bool __mutex_trylock(struct mutex *lock)
{
	long unowned = 0;
	return __atomic_compare_exchange_n(&lock->owner.counter, &unowned, (long)current, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* The waiter that came first tries next. wait_lock is held. */
void mutex_wake_first(struct mutex *lock)
{
	if (!list_empty(&lock->wait_list))
		wake_up_process(list_first_entry(&lock->wait_list, struct mutex_waiter, list)->task);
}

int __mutex_lock_common(struct mutex *lock, unsigned int state)
{
	struct mutex_waiter waiter = { .task = current };
	int ret = 0;
	u64 flags;
	lock_contention_begin(lock, LCB_F_MUTEX);
	flags = _raw_spin_lock_irqsave(&lock->wait_lock);
	list_add_tail(&waiter.list, &lock->wait_list);
	for (;;) {
		set_current_state(state);
		if (__mutex_trylock(lock))
			break;
		if (signal_pending_state(state, current)) {
			ret = -EINTR;
			break;
		}
		_raw_spin_unlock_irqrestore(&lock->wait_lock, flags);
		schedule();
		flags = _raw_spin_lock_irqsave(&lock->wait_lock);
	}
	WRITE_ONCE(current->__state, TASK_RUNNING);
	list_del_init(&waiter.list);
	/* Whoever was woken for nothing hands the wake-up on. */
	if (ret && !READ_ONCE(lock->owner.counter))
		mutex_wake_first(lock);
	_raw_spin_unlock_irqrestore(&lock->wait_lock, flags);
	lock_contention_end(lock, ret);
	return ret;
}

int mutex_lock_state(struct mutex *lock, unsigned int state, enum lock_operation operation)
{
	int ret = likely(__mutex_trylock(lock)) ? 0 : __mutex_lock_common(lock, state);
	journal(J_LOCK, pid_tgid(current), (u64)lock, operation, (u64)ret);
	return ret;
}

void mutex_lock(struct mutex *lock) { mutex_lock_state(lock, TASK_UNINTERRUPTIBLE, LOCK_MUTEX); }

int mutex_lock_interruptible(struct mutex *lock)
{
	return mutex_lock_state(lock, TASK_INTERRUPTIBLE, LOCK_MUTEX_INTERRUPTIBLE);
}

int mutex_lock_killable(struct mutex *lock) { return mutex_lock_state(lock, TASK_KILLABLE, LOCK_MUTEX_KILLABLE); }

int mutex_trylock(struct mutex *lock)
{
	int had = __mutex_trylock(lock);
	journal(J_LOCK, pid_tgid(current), (u64)lock, LOCK_MUTEX_TRY, (u64)had);
	return had;
}

void __mutex_unlock_slowpath(struct mutex *lock)
{
	u64 flags = _raw_spin_lock_irqsave(&lock->wait_lock);
	mutex_wake_first(lock);
	_raw_spin_unlock_irqrestore(&lock->wait_lock, flags);
}

void mutex_unlock(struct mutex *lock)
{
	journal(J_LOCK, pid_tgid(current), (u64)lock, UNLOCK_MUTEX, 0);
	__atomic_exchange_n(&lock->owner.counter, 0L, __ATOMIC_SEQ_CST);
	if (!list_empty(&lock->wait_list))
		__mutex_unlock_slowpath(lock);
}
