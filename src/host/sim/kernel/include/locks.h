/* Sleeping locks: mutexes and reader-writer semaphores. Who waits does so in the order in which they came. */
#pragma once
#include "cpu.h"
#include "list.h"

struct mutex {
	atomic_long_t owner;
	spinlock_t wait_lock;
	struct list_head wait_list;
};

struct mutex_waiter {
	struct list_head list;
	struct task_struct *task;
};

#define __MUTEX_INITIALIZER(name) { .wait_list = LIST_HEAD_INIT((name).wait_list) }

/* count: a writer has it, somebody waits, and readers from bit 8 on. */
struct rw_semaphore {
	atomic_long_t count;
	atomic_long_t owner;
	spinlock_t wait_lock;
	struct list_head wait_list;
};

enum rwsem_waiter_type { RWSEM_WAITING_FOR_WRITE, RWSEM_WAITING_FOR_READ };

struct rwsem_waiter {
	struct list_head list;
	struct task_struct *task;
	enum rwsem_waiter_type type;
};

/* What contention_begin says of a lock. */
#define LCB_F_READ 2u
#define LCB_F_WRITE 4u
#define LCB_F_MUTEX 32u

/* How the journal names the ways of taking and leaving locks. */
enum lock_operation {
	LOCK_MUTEX,
	LOCK_MUTEX_INTERRUPTIBLE,
	LOCK_MUTEX_KILLABLE,
	LOCK_MUTEX_TRY,
	LOCK_READ,
	LOCK_READ_INTERRUPTIBLE,
	LOCK_READ_KILLABLE,
	LOCK_READ_TRY,
	LOCK_WRITE,
	LOCK_WRITE_KILLABLE,
	LOCK_WRITE_TRY,
	UNLOCK_MUTEX,
	UNLOCK_READ,
	UNLOCK_WRITE,
};

void lock_contention_begin(void *lock, unsigned int flags);
void lock_contention_end(void *lock, int ret);

/* 0, or -EINTR where a signal may end the waiting. Tries: 1 if it was had, else 0. */
void mutex_init(struct mutex *lock);
void mutex_lock(struct mutex *lock);
int mutex_lock_interruptible(struct mutex *lock);
int mutex_lock_killable(struct mutex *lock);
int mutex_trylock(struct mutex *lock);
void mutex_unlock(struct mutex *lock);

void init_rwsem(struct rw_semaphore *sem);
void down_read(struct rw_semaphore *sem);
int down_read_interruptible(struct rw_semaphore *sem);
int down_read_killable(struct rw_semaphore *sem);
int down_read_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
int down_write_killable(struct rw_semaphore *sem);
int down_write_trylock(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
