/* epoll: files that are watched for as long as they are open, and a list of those that have something to tell. */
#include "poll.h"
#include "uapi.h"

#define ANON_INODE_FS_MAGIC 0x09041934
/* Bits of an epitem's events that are no events. */
#define EP_PRIVATE_BITS (EPOLLONESHOT | EPOLLET)
#define EP_MAX_EVENTS (0x7fffffff / (int)sizeof(struct epoll_event))

struct epoll_filefd {
	struct file *file;
	int fd;
};

struct eventpoll {
	/* Held by who changes the set of files, and while events are handed out. */
	struct mutex mtx;
	struct wait_queue_head wq;
	struct wait_queue_head poll_wait;
	struct list_head rdllist;
	spinlock_t lock;
	struct list_head items;
};

struct epitem;
/* The place of an item in the queue of the file it watches. */
struct eppoll_entry {
	struct epitem *base;
	struct wait_queue_entry wait;
	struct wait_queue_head *whead;
};

#define EP_QUEUES 2
struct epitem {
	struct list_head rdllink;
	struct list_head node;
	struct list_head fllink;
	struct epoll_filefd ffd;
	struct eventpoll *ep;
	struct epoll_event event;
	int nwait;
	struct eppoll_entry pwq[EP_QUEUES];
};

struct ep_pqueue {
	poll_table pt;
	struct epitem *epi;
};

static struct pseudo_fs anon_inodefs;
static struct inode *anon_inode_inode;
/* Held where a file goes that some epoll watches: the epoll may go at the same time. */
static struct mutex epmutex;

void eventpoll_init(void)
{
	init_pseudo(&anon_inodefs, "anon_inodefs", ANON_INODE_FS_MAGIC);
	anon_inode_inode = new_inode(&anon_inodefs.sb, 0600);
	mutex_init(&epmutex);
}

bool ep_is_linked(const struct epitem *epi) { return !list_empty(&epi->rdllink); }
bool ep_events_available(const struct eventpoll *ep) { return !list_empty(&ep->rdllist); }

void ep_wake(struct eventpoll *ep)
{
	wake_up(&ep->wq);
	wake_up_all_poll(&ep->poll_wait, EPOLLIN | EPOLLRDNORM);
}

/* Runs where the file wakes its waiters, which may be in an interrupt. */
int ep_poll_callback(struct wait_queue_entry *wait, unsigned int mode, int sync, void *key)
{
	struct epitem *epi = container_of(wait, struct eppoll_entry, wait)->base;
	struct eventpoll *ep = epi->ep;
	__poll_t told = (__poll_t)(u64)key;
	u64 flags = _raw_spin_lock_irqsave(&ep->lock);
	bool wanted = (epi->event.events & ~EP_PRIVATE_BITS) && (!told || (told & epi->event.events));
	(void)mode;
	(void)sync;
	if (wanted && !ep_is_linked(epi))
		list_add_tail(&epi->rdllink, &ep->rdllist);
	_raw_spin_unlock_irqrestore(&ep->lock, flags);
	if (wanted)
		ep_wake(ep);
	return 1;
}

void ep_ptable_queue_proc(struct file *file, struct wait_queue_head *whead, poll_table *pt)
{
	struct epitem *epi = container_of(pt, struct ep_pqueue, pt)->epi;
	struct eppoll_entry *pwq;
	(void)file;
	if (epi->nwait == EP_QUEUES)
		return;
	pwq = &epi->pwq[epi->nwait++];
	pwq->base = epi;
	pwq->whead = whead;
	pwq->wait.func = ep_poll_callback;
	add_wait_queue(whead, &pwq->wait);
}

/* The events that the item is there for and that its file has now. */
__poll_t ep_item_poll(const struct epitem *epi, poll_table *pt)
{
	pt->_key = epi->event.events;
	return vfs_poll(epi->ffd.file, pt) & epi->event.events;
}

/* Lists the item if its file has something to tell already. */
void ep_arm(struct epitem *epi, __poll_t revents)
{
	struct eventpoll *ep = epi->ep;
	bool ready;
	u64 flags = _raw_spin_lock_irqsave(&ep->lock);
	ready = revents && !ep_is_linked(epi);
	if (ready)
		list_add_tail(&epi->rdllink, &ep->rdllist);
	_raw_spin_unlock_irqrestore(&ep->lock, flags);
	if (ready)
		ep_wake(ep);
}

struct epitem *ep_find(struct eventpoll *ep, struct file *file, int fd)
{
	struct list_head *pos;
	list_for_each(pos, &ep->items) {
		struct epitem *epi = list_entry(pos, struct epitem, node);
		if (epi->ffd.file == file && epi->ffd.fd == fd)
			return epi;
	}
	return NULL;
}

int ep_insert(struct eventpoll *ep, const struct epoll_event *event, struct file *file, int fd)
{
	struct epitem *epi = kzalloc(sizeof(*epi), GFP_KERNEL);
	struct ep_pqueue queue = { .pt._qproc = ep_ptable_queue_proc, .epi = epi };
	if (!epi)
		return -ENOMEM;
	INIT_LIST_HEAD(&epi->rdllink);
	epi->ep = ep;
	epi->ffd.file = file;
	epi->ffd.fd = fd;
	epi->event = *event;
	list_add_tail(&epi->node, &ep->items);
	list_add_tail(&epi->fllink, &file->f_ep);
	ep_arm(epi, ep_item_poll(epi, &queue.pt));
	return 0;
}

int ep_modify(struct epitem *epi, const struct epoll_event *event)
{
	poll_table pt = { ._qproc = NULL };
	u64 flags = _raw_spin_lock_irqsave(&epi->ep->lock);
	epi->event = *event;
	_raw_spin_unlock_irqrestore(&epi->ep->lock, flags);
	ep_arm(epi, ep_item_poll(epi, &pt));
	return 0;
}

int ep_remove(struct eventpoll *ep, struct epitem *epi)
{
	u64 flags;
	int i;
	for (i = 0; i < epi->nwait; i++)
		remove_wait_queue(epi->pwq[i].whead, &epi->pwq[i].wait);
	list_del_init(&epi->node);
	list_del_init(&epi->fllink);
	flags = _raw_spin_lock_irqsave(&ep->lock);
	list_del_init(&epi->rdllink);
	_raw_spin_unlock_irqrestore(&ep->lock, flags);
	kfree(epi);
	return 0;
}

/* The file is about to go: no epoll watches it any more. */
void eventpoll_release(struct file *file)
{
	if (list_empty(&file->f_ep))
		return;
	mutex_lock(&epmutex);
	while (!list_empty(&file->f_ep)) {
		struct epitem *epi = list_first_entry(&file->f_ep, struct epitem, fllink);
		struct eventpoll *ep = epi->ep;
		mutex_lock(&ep->mtx);
		ep_remove(ep, epi);
		mutex_unlock(&ep->mtx);
	}
	mutex_unlock(&epmutex);
}

int ep_eventpoll_release(struct inode *inode, struct file *file)
{
	struct eventpoll *ep = file->private_data;
	(void)inode;
	mutex_lock(&epmutex);
	while (!list_empty(&ep->items))
		ep_remove(ep, list_first_entry(&ep->items, struct epitem, node));
	mutex_unlock(&epmutex);
	kfree(ep);
	return 0;
}

__poll_t ep_eventpoll_poll(struct file *file, poll_table *wait)
{
	struct eventpoll *ep = file->private_data;
	poll_wait(file, &ep->poll_wait, wait);
	return ep_events_available(ep) ? EPOLLIN | EPOLLRDNORM : 0;
}

const struct file_operations eventpoll_fops = { .poll = ep_eventpoll_poll, .release = ep_eventpoll_release };

struct epitem *ep_take_ready(struct eventpoll *ep, struct list_head *txlist)
{
	struct epitem *epi = NULL;
	u64 flags = _raw_spin_lock_irqsave(&ep->lock);
	if (!list_empty(txlist)) {
		epi = list_first_entry(txlist, struct epitem, rdllink);
		list_del_init(&epi->rdllink);
	}
	_raw_spin_unlock_irqrestore(&ep->lock, flags);
	return epi;
}

/* Moves all of one list in front of the other. */
void ep_splice(struct eventpoll *ep, struct list_head *from, struct list_head *to)
{
	u64 flags = _raw_spin_lock_irqsave(&ep->lock);
	while (!list_empty(from)) {
		struct list_head *last = from->prev;
		list_del_init(last);
		list_add(last, to);
	}
	_raw_spin_unlock_irqrestore(&ep->lock, flags);
}

/* What becomes of an item whose events were handed out: by level it is asked again next time. */
void ep_told(struct eventpoll *ep, struct epitem *epi)
{
	u64 flags = _raw_spin_lock_irqsave(&ep->lock);
	if (epi->event.events & EPOLLONESHOT)
		epi->event.events &= EP_PRIVATE_BITS;
	else if (!(epi->event.events & EPOLLET) && !ep_is_linked(epi))
		list_add_tail(&epi->rdllink, &ep->rdllist);
	_raw_spin_unlock_irqrestore(&ep->lock, flags);
}

/* Hands out events of files that still have them: how many, or an error before the first one. */
int ep_send_events(struct eventpoll *ep, struct epoll_event *user, int maxevents)
{
	struct list_head txlist = LIST_HEAD_INIT(txlist);
	poll_table pt = { ._qproc = NULL };
	struct epitem *epi;
	int res = 0;
	mutex_lock(&ep->mtx);
	ep_splice(ep, &ep->rdllist, &txlist);
	while (res >= 0 && res < maxevents && (epi = ep_take_ready(ep, &txlist))) {
		struct epoll_event event = { .events = ep_item_poll(epi, &pt), .data = epi->event.data };
		if (!event.events)
			continue;
		if (_copy_to_user(&user[res], &event, sizeof(event))) {
			ep_arm(epi, event.events);
			res = res ? res : -EFAULT;
			break;
		}
		res++;
		ep_told(ep, epi);
	}
	ep_splice(ep, &txlist, &ep->rdllist);
	mutex_unlock(&ep->mtx);
	return res;
}

/* False when the time is up. */
bool ep_schedule_timeout(struct eventpoll *ep, const ktime_t *expires)
{
	struct wait_queue_entry wait = {
		.flags = WQ_FLAG_EXCLUSIVE,
		.private = current,
		.func = autoremove_wake_function,
	};
	int left = -EINTR;
	INIT_LIST_HEAD(&wait.entry);
	prepare_to_wait(&ep->wq, &wait, TASK_INTERRUPTIBLE);
	if (!ep_events_available(ep) && !signal_pending(current))
		left = schedule_hrtimeout(expires);
	finish_wait(&ep->wq, &wait);
	return left != 0;
}

int ep_poll(struct eventpoll *ep, struct epoll_event *events, int maxevents, const ktime_t *expires)
{
	bool timed_out = expires && *expires <= ktime_get();
	for (;;) {
		int res = ep_events_available(ep) ? ep_send_events(ep, events, maxevents) : 0;
		if (res || timed_out)
			return res;
		if (signal_pending(current))
			return -EINTR;
		timed_out = !ep_schedule_timeout(ep, expires);
	}
}

int do_epoll_create(int flags)
{
	struct eventpoll *ep;
	struct file *file;
	int fd;
	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	ep = kzalloc(sizeof(*ep), GFP_KERNEL);
	if (!ep)
		return -ENOMEM;
	mutex_init(&ep->mtx);
	init_waitqueue_head(&ep->wq);
	init_waitqueue_head(&ep->poll_wait);
	INIT_LIST_HEAD(&ep->rdllist);
	INIT_LIST_HEAD(&ep->items);
	fd = get_unused_fd_flags((unsigned int)flags);
	file = fd < 0 ? ERR_PTR(fd) : NULL;
	if (!file) {
		atomic_inc(&anon_inode_inode->i_count);
		file = alloc_file_pseudo(anon_inode_inode, &anon_inodefs.mount, "[eventpoll]", O_RDWR, &eventpoll_fops);
	}
	if (!IS_ERR(file)) {
		file->private_data = ep;
		fd_install((unsigned int)fd, file);
		return fd;
	}
	if (fd >= 0) {
		put_unused_fd((unsigned int)fd);
		iput(anon_inode_inode);
	}
	kfree(ep);
	return (int)PTR_ERR(file);
}

int ep_control(struct eventpoll *ep, int op, int fd, struct file *file, struct epoll_event *event)
{
	struct epitem *epi = ep_find(ep, file, fd);
	event->events |= EPOLLERR | EPOLLHUP;
	if (op == EPOLL_CTL_ADD)
		return epi ? -EEXIST : ep_insert(ep, event, file, fd);
	if (op != EPOLL_CTL_DEL && op != EPOLL_CTL_MOD)
		return -EINVAL;
	if (!epi)
		return -ENOENT;
	return op == EPOLL_CTL_DEL ? ep_remove(ep, epi) : ep_modify(epi, event);
}

/* Of files that cannot be waited for, and of an epoll itself, which here watches no other. */
int ep_refuses(const struct file *epfile, const struct file *file)
{
	if (epfile->f_op != &eventpoll_fops)
		return -EINVAL;
	if (!file->f_op || !file->f_op->poll)
		return -EPERM;
	if (file == epfile)
		return -EINVAL;
	return file->f_op == &eventpoll_fops ? -ELOOP : 0;
}

int do_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	struct file *epfile = fget((unsigned int)epfd), *file = fget((unsigned int)fd);
	int error = epfile && file ? ep_refuses(epfile, file) : -EBADF;
	if (!error) {
		struct eventpoll *ep = epfile->private_data;
		mutex_lock(&epmutex);
		mutex_lock(&ep->mtx);
		error = ep_control(ep, op, fd, file, event);
		mutex_unlock(&ep->mtx);
		mutex_unlock(&epmutex);
	}
	if (file)
		fput(file);
	if (epfile)
		fput(epfile);
	return error;
}

int do_epoll_wait(int epfd, struct epoll_event *events, int maxevents, const ktime_t *expires)
{
	struct file *file;
	int ret;
	if (maxevents <= 0 || maxevents > EP_MAX_EVENTS)
		return -EINVAL;
	file = fget((unsigned int)epfd);
	if (!file)
		return -EBADF;
	ret = file->f_op == &eventpoll_fops ? ep_poll(file->private_data, events, maxevents, expires) : -EINVAL;
	fput(file);
	return ret;
}

#define NSEC_PER_MSEC 1000000L

long __x64_sys_epoll_create1(const struct pt_regs *regs) { return do_epoll_create((int)regs->di); }

long __x64_sys_epoll_ctl(const struct pt_regs *regs)
{
	struct epoll_event event = { .events = 0 };
	if (regs->si != EPOLL_CTL_DEL && _copy_from_user(&event, (void *)regs->r10, sizeof(event)))
		return -EFAULT;
	return do_epoll_ctl((int)regs->di, (int)regs->si, (int)regs->dx, &event);
}

long __x64_sys_epoll_wait(const struct pt_regs *regs)
{
	ktime_t expires;
	int timeout = (int)regs->r10;
	return do_epoll_wait((int)regs->di, (struct epoll_event *)regs->si, (int)regs->dx,
			     poll_timeout(&expires, timeout < 0 ? -1 : timeout * NSEC_PER_MSEC));
}
