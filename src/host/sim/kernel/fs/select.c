/* poll and ppoll. */
#include "poll.h"
#include "uapi.h"

struct poll_wqueues;
struct poll_table_entry {
	struct file *filp;
	__poll_t key;
	struct wait_queue_entry wait;
	struct wait_queue_head *wait_address;
};

/* Files have one queue each; room for a few that have two. */
#define POLL_ENTRIES (NR_OPEN + 8)

struct poll_wqueues {
	poll_table pt;
	struct task_struct *polling_task;
	volatile int triggered;
	int error;
	int inline_index;
	struct poll_table_entry entries[POLL_ENTRIES];
};

int pollwake(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct poll_table_entry *entry = container_of(wait, struct poll_table_entry, wait);
	struct poll_wqueues *pwq = wait->private;
	(void)mode;
	(void)sync;
	if (key && !((__poll_t)(u64)key & entry->key))
		return 0;
	WRITE_ONCE(pwq->triggered, 1);
	return try_to_wake_up(pwq->polling_task, TASK_NORMAL);
}

void __pollwait(struct file *file, struct wait_queue_head *wq, poll_table *p)
{
	struct poll_wqueues *pwq = container_of(p, struct poll_wqueues, pt);
	struct poll_table_entry *entry;
	if (pwq->inline_index == POLL_ENTRIES) {
		pwq->error = -ENOMEM;
		return;
	}
	entry = &pwq->entries[pwq->inline_index++];
	atomic_inc(&file->f_count);
	entry->filp = file;
	entry->key = p->_key;
	entry->wait_address = wq;
	entry->wait.private = pwq;
	entry->wait.func = pollwake;
	add_wait_queue(wq, &entry->wait);
}

void poll_initwait(struct poll_wqueues *pwq)
{
	memset(pwq, 0, sizeof(*pwq));
	pwq->pt._qproc = __pollwait;
	pwq->polling_task = current;
}

void poll_freewait(struct poll_wqueues *pwq)
{
	int i;
	for (i = 0; i < pwq->inline_index; i++) {
		remove_wait_queue(pwq->entries[i].wait_address, &pwq->entries[i].wait);
		fput(pwq->entries[i].filp);
	}
}

__poll_t vfs_poll(struct file *file, poll_table *p)
{
	if (!file->f_op || !file->f_op->poll)
		return DEFAULT_POLLMASK;
	return file->f_op->poll(file, p);
}

ktime_t *poll_timeout(ktime_t *expires, s64 ns)
{
	if (ns < 0)
		return NULL;
	*expires = ktime_get() + ns;
	return expires;
}

/* The events of one entry; true if there are any. */
bool do_pollfd(struct pollfd *pollfd, poll_table *pt)
{
	__poll_t filter = (unsigned short)pollfd->events | EPOLLERR | EPOLLHUP;
	struct file *file;
	__poll_t mask = EPOLLNVAL;
	pollfd->revents = 0;
	if (pollfd->fd < 0)
		return false;
	file = fget((unsigned int)pollfd->fd);
	if (file) {
		pt->_key = filter;
		mask = vfs_poll(file, pt) & filter;
		fput(file);
	}
	pollfd->revents = (short)mask;
	return mask != 0;
}

/* 0 when the time is up. */
int poll_schedule_timeout(struct poll_wqueues *pwq, const ktime_t *expires)
{
	int ret = -EINTR;
	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(pwq->triggered))
		ret = schedule_hrtimeout(expires);
	WRITE_ONCE(current->__state, TASK_RUNNING);
	WRITE_ONCE(pwq->triggered, 0);
	return ret;
}

int do_poll(struct pollfd *fds, unsigned int nfds, struct poll_wqueues *pwq, const ktime_t *expires)
{
	bool timed_out = false;
	for (;;) {
		unsigned int i;
		int count = 0;
		for (i = 0; i < nfds; i++) {
			count += do_pollfd(&fds[i], &pwq->pt);
			/* Who has found something does not wait any more. */
			if (count)
				pwq->pt._qproc = NULL;
		}
		pwq->pt._qproc = NULL;
		if (!count)
			count = pwq->error;
		if (!count && signal_pending(current))
			count = -ERESTARTNOHAND;
		if (count || timed_out || (expires && *expires <= ktime_get()))
			return count;
		timed_out = !poll_schedule_timeout(pwq, expires);
	}
}

int do_sys_poll(struct pollfd *user, unsigned int nfds, const ktime_t *expires)
{
	struct pollfd fds[NR_OPEN];
	struct poll_wqueues *pwq;
	int count;
	if (nfds > NR_OPEN)
		return -EINVAL;
	if (_copy_from_user(fds, user, nfds * sizeof(*fds)))
		return -EFAULT;
	pwq = kmalloc(sizeof(*pwq), GFP_KERNEL);
	if (!pwq)
		return -ENOMEM;
	poll_initwait(pwq);
	count = do_poll(fds, nfds, pwq, expires);
	poll_freewait(pwq);
	kfree(pwq);
	if (count >= 0 && _copy_to_user(user, fds, nfds * sizeof(*fds)))
		return -EFAULT;
	return count;
}

#define NSEC_PER_MSEC 1000000L

long __x64_sys_poll(const struct pt_regs *regs)
{
	ktime_t expires;
	int timeout = (int)regs->dx;
	return do_sys_poll((struct pollfd *)regs->di, (unsigned int)regs->si,
			   poll_timeout(&expires, timeout < 0 ? -1 : timeout * NSEC_PER_MSEC));
}

long __x64_sys_ppoll(const struct pt_regs *regs)
{
	struct timespec64 ts;
	ktime_t expires, *until = NULL;
	sigset_t mask;
	long ret;
	if (regs->dx && _copy_from_user(&ts, (void *)regs->dx, sizeof(ts)))
		return -EFAULT;
	if (regs->dx && (ts.tv_sec < 0 || (u64)ts.tv_nsec >= NSEC_PER_SEC))
		return -EINVAL;
	if (regs->dx)
		until = poll_timeout(&expires, ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec);
	if (regs->r10 && regs->r8 != sizeof(mask))
		return -EINVAL;
	if (regs->r10 && _copy_from_user(&mask, (void *)regs->r10, sizeof(mask)))
		return -EFAULT;
	if (regs->r10)
		set_user_sigmask(mask);
	ret = do_sys_poll((struct pollfd *)regs->di, (unsigned int)regs->si, until);
	restore_saved_sigmask_unless(ret == -ERESTARTNOHAND);
	return ret;
}
