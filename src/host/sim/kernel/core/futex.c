/* Futexes: sleeping until another thread says that a word of user memory has changed. They belong to one address space. */
#include "mm.h"
#include "uapi.h"

#define FUTEX_BUCKETS 16

/* A sleeper, on the list of its bucket until it is woken. */
struct futex_q {
	struct list_head list;
	struct task_struct *task;
	struct mm_struct *mm;
	unsigned long uaddr;
};

struct futex_hash_bucket {
	spinlock_t lock;
	struct list_head chain;
};

static struct futex_hash_bucket futex_queues[FUTEX_BUCKETS];

void futex_init(void)
{
	int i;
	for (i = 0; i < FUTEX_BUCKETS; i++)
		INIT_LIST_HEAD(&futex_queues[i].chain);
}

struct futex_hash_bucket *futex_hash(unsigned long uaddr) { return &futex_queues[uaddr / sizeof(u32) % FUTEX_BUCKETS]; }

/* Queues the sleeper if the word still has the value. With the bucket locked no page may be faulted in: -EFAULT then. */
int futex_wait_setup(struct futex_hash_bucket *hb, struct futex_q *q, u32 value)
{
	int error = 0;
	u32 found;
	_raw_spin_lock(&hb->lock);
	if (_copy_from_user(&found, (void *)q->uaddr, sizeof(found)))
		error = -EFAULT;
	else if (found != value)
		error = -EAGAIN;
	else
		list_add_tail(&q->list, &hb->chain);
	if (!error)
		set_current_state(TASK_INTERRUPTIBLE);
	_raw_spin_unlock(&hb->lock);
	return error;
}

/* Whether it was woken; if not it waits no more. */
bool futex_unqueue(struct futex_hash_bucket *hb, struct futex_q *q)
{
	bool woken;
	_raw_spin_lock(&hb->lock);
	woken = list_empty(&q->list);
	list_del_init(&q->list);
	_raw_spin_unlock(&hb->lock);
	return woken;
}

void futex_wait_queue(struct futex_q *q)
{
	while (!list_empty(&q->list) && !signal_pending(current)) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	set_current_state(TASK_RUNNING);
}

long futex_wait(unsigned long uaddr, u32 value)
{
	struct futex_hash_bucket *hb = futex_hash(uaddr);
	struct futex_q q = { .task = current, .mm = current->mm, .uaddr = uaddr };
	u32 found;
	int error;
	INIT_LIST_HEAD(&q.list);
	while ((error = futex_wait_setup(hb, &q, value)) == -EFAULT)
		if (_copy_from_user(&found, (void *)uaddr, sizeof(found)))
			break;
	if (error)
		return error;
	futex_wait_queue(&q);
	return futex_unqueue(hb, &q) ? 0 : -EINTR;
}

/* How many were woken. */
long futex_wake(unsigned long uaddr, int nr)
{
	struct futex_hash_bucket *hb = futex_hash(uaddr);
	struct list_head *pos, *next;
	int woken = 0;
	_raw_spin_lock(&hb->lock);
	list_for_each_safe(pos, next, &hb->chain) {
		struct futex_q *q = list_entry(pos, struct futex_q, list);
		struct task_struct *task = q->task;
		if (q->uaddr != uaddr || q->mm != current->mm || woken >= nr)
			continue;
		/* Off the list the sleeper's frame may go: it takes this lock before it does. */
		list_del_init(&q->list);
		wake_up_process(task);
		woken++;
	}
	_raw_spin_unlock(&hb->lock);
	return woken;
}

/* A thread that ends, or becomes another program, tells who waits for it by clearing its word. */
void mm_release(struct task_struct *tsk)
{
	int *word = tsk->clear_child_tid;
	u32 zero = 0;
	tsk->clear_child_tid = NULL;
	if (!word || atomic_read(&tsk->mm->mm_users) < 2)
		return;
	if (!_copy_to_user(word, &zero, sizeof(zero)))
		futex_wake((unsigned long)word, 1);
}

/* No timeouts: who asks for one is refused. */
long __x64_sys_futex(const struct pt_regs *regs)
{
	unsigned long uaddr = regs->di;
	if (uaddr % sizeof(u32) || !access_ok((void *)uaddr, sizeof(u32)))
		return uaddr % sizeof(u32) ? -EINVAL : -EFAULT;
	switch (regs->si & ~(u64)FUTEX_PRIVATE_FLAG) {
	case FUTEX_WAIT:
		return regs->r10 ? -ENOSYS : futex_wait(uaddr, (u32)regs->dx);
	case FUTEX_WAKE:
		return futex_wake(uaddr, (int)regs->dx);
	default:
		return -ENOSYS;
	}
}

long __x64_sys_set_tid_address(const struct pt_regs *regs)
{
	current->clear_child_tid = (int *)regs->di;
	return current->pid;
}
